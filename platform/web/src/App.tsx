/** The whole program: which page is shown, to whom. */

import { Button } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { type ComponentType, useState } from "react";
import { openQueries } from "./api/queries";
import { LiveProvider } from "./live/context";
import { isWithin, usePath } from "./router";
import { Gate, Notice } from "./session/Gate";
import { restore, type Session, useSession, useStanding } from "./session/session";
import { SignInPage } from "./session/SignInPage";
import { Header } from "./ui/Header";
import { Page } from "./ui/Page";
import { Asking, page, Room } from "./ui/pages";
import { Following } from "./uploads/following";
import { DashboardPage } from "./zones/DashboardPage";

// Each is read when it is looked at: floor staff on a bad line wait for their own page only.
const ClientsPage = page(async () => (await import("./admin/ClientsPage")).ClientsPage);
const AnnouncementsPage = page(async () => (await import("./announcements/AnnouncementsPage")).AnnouncementsPage);
const AuditPage = page(async () => (await import("./audit/AuditPage")).AuditPage);
const EmergenciesPage = page(async () => (await import("./emergencies/EmergenciesPage")).EmergenciesPage);
const LibraryPage = page(async () => (await import("./library/LibraryPage")).LibraryPage);
const InvitationPage = page(async () => (await import("./pages/InvitationPage")).InvitationPage);
const EmailChangePage = page(async () => (await import("./pages/PasswordPages")).EmailChangePage);
const ForgottenPage = page(async () => (await import("./pages/PasswordPages")).ForgottenPage);
const ResetPage = page(async () => (await import("./pages/PasswordPages")).ResetPage);
const SignUpConfirmPage = page(async () => (await import("./pages/SignUpPage")).SignUpConfirmPage);
const SignUpPage = page(async () => (await import("./pages/SignUpPage")).SignUpPage);
const PeoplePage = page(async () => (await import("./people/PeoplePage")).PeoplePage);
const PlaysPage = page(async () => (await import("./plays/PlaysPage")).PlaysPage);
const DataPage = page(async () => (await import("./privacy/DataPage")).DataPage);
const ProfilePage = page(async () => (await import("./profile/ProfilePage")).ProfilePage);
const ProofPage = page(async () => (await import("./proof/ProofPage")).ProofPage);
const SchedulePages = page(async () => (await import("./schedules/Pages")).Pages);
const SpeakersPage = page(async () => (await import("./speakers/SpeakersPage")).SpeakersPage);
const OfferedVoicesPage = page(async () => (await import("./speech/VoicesPage")).OfferedVoicesPage);
const VoicesPage = page(async () => (await import("./speech/VoicesPage")).VoicesPage);
const TokensPage = page(async () => (await import("./tokens/TokensPage")).TokensPage);
const WordsPage = page(async () => (await import("./words/WordsPage")).WordsPage);

/** Pages for everybody, above all those that mailed links lead to. */
const OPEN: Record<string, ComponentType> = {
  "/forgotten": ForgottenPage,
  "/password-reset": ResetPage,
  "/email-change": EmailChangePage,
  "/signup": SignUpPage,
  "/signup/confirm": SignUpConfirmPage,
  "/invitation": InvitationPage,
};

/** A session is one person in one client: with another one, everything begins anew. */
export function App() {
  const session = useSession();
  const id = session?.csrf ?? "";
  const [kept, setKept] = useState(() => ({ id, queries: openQueries() }));
  if (kept.id !== id) setKept({ id, queries: openQueries() });
  return (
    <QueryClientProvider client={kept.queries}>
      <Shown session={session} />
    </QueryClientProvider>
  );
}

/** The page of the address, for whoever may see it. */
function Shown({ session }: { session: Session | null }) {
  const path = usePath();
  const standing = useStanding();
  const Open = OPEN[path];
  if (standing === "asking") return <Asking />;
  if (Open) {
    return (
      <Room>
        <Open />
      </Room>
    );
  }
  if (standing === "unreached") return <Unreached />;
  if (!session) return <SignInPage />;
  const content = (
    <>
      <Room key={path.split("/")[1]} above={<Header />}>
        <Inside path={path} session={session} />
      </Room>
      <Following />
    </>
  );
  return seesZones(session) ? <LiveProvider key={session.csrf}>{content}</LiveProvider> : content;
}

/** Whether there is anything live to see. */
function seesZones({ client, permissions }: Session): boolean {
  return client !== null && permissions.includes("playback.read");
}

function Inside({ path, session }: { path: string; session: Session }) {
  const may = (permission: string) => session.permissions.includes(permission);
  if (path === "/profile" || session.second_factor_missing) return <ProfilePage />;
  if (path === "/data") return <DataPage session={session} />;
  if (path === "/clients" && may("admin.read")) return <ClientsPage />;
  if (path === "/voices" && may("admin.read")) return <OfferedVoicesPage />;
  if (path.split("/")[1] === "library" && may("music.read")) return <LibraryPage path={path} />;
  if (isWithin(path, "/schedules") && may("schedules.read")) return <SchedulePages path={path} />;
  if (isWithin(path, "/announcements/plays") && seesZones(session)) return <PlaysPage path={path} />;
  if (isWithin(path, "/speakers") && may("devices.read") && session.client) return <SpeakersPage path={path} />;
  if (path === "/proof" && seesZones(session)) return <ProofPage />;
  if (path === "/announcements/voices" && may("providers.read")) return <VoicesPage />;
  if (path === "/announcements/words" && may("announcements.read")) return <WordsPage />;
  if (path === "/announcements" && may("announcements.read")) return <AnnouncementsPage />;
  if (path === "/emergencies" && may("emergencies.read") && seesZones(session)) return <EmergenciesPage />;
  if (path === "/people" && may("users.read")) return <PeoplePage />;
  if (path === "/tokens" && may("tokens.read")) return <TokensPage />;
  if (path === "/audit" && may("audit.read")) return <AuditPage />;
  if (seesZones(session)) return <DashboardPage />;
  return (
    <Page title="Welcome">
      <p>
        {session.client
          ? "Nothing of the zones is yours to see. Ask a manager for a role."
          : "Choose a client at the top of the page to look at it."}
      </p>
    </Page>
  );
}

function Unreached() {
  return (
    <Gate title="The server does not answer">
      <Notice>The speakers play on without it. Check this device’s network, then try again.</Notice>
      <Button size="lg" fullWidth onClick={() => void restore()}>
        Try again
      </Button>
    </Gate>
  );
}
