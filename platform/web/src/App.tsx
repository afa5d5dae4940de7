/** The whole program: which page is shown, to whom. */

import { Button, Loader } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { openQueries } from "./api/queries";
import { AnnouncementsPage } from "./announcements/AnnouncementsPage";
import { AuditPage } from "./audit/AuditPage";
import { LibraryPage } from "./library/LibraryPage";
import { ClientsPage } from "./admin/ClientsPage";
import { EmergenciesPage } from "./emergencies/EmergenciesPage";
import { LiveProvider } from "./live/context";
import { InvitationPage } from "./pages/InvitationPage";
import { EmailChangePage, ForgottenPage, ResetPage } from "./pages/PasswordPages";
import { SignUpConfirmPage, SignUpPage } from "./pages/SignUpPage";
import { PlaysPage } from "./plays/PlaysPage";
import { ProofPage } from "./proof/ProofPage";
import { PeoplePage } from "./people/PeoplePage";
import { DataPage } from "./privacy/DataPage";
import { ProfilePage } from "./profile/ProfilePage";
import { isWithin, usePath } from "./router";
import { Pages as SchedulePages } from "./schedules/Pages";
import { Gate, Notice } from "./session/Gate";
import { restore, type Session, useSession, useStanding } from "./session/session";
import { SignInPage } from "./session/SignInPage";
import { OfferedVoicesPage, VoicesPage } from "./speech/VoicesPage";
import { TokensPage } from "./tokens/TokensPage";
import { Page } from "./ui/Page";
import { Following } from "./uploads/following";
import { WordsPage } from "./words/WordsPage";
import { DashboardPage } from "./zones/DashboardPage";

/** Pages for everybody, above all those that mailed links lead to. */
const OPEN: Record<string, () => ReactNode> = {
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
  if (Open) return <Open />;
  if (standing === "unreached") return <Unreached />;
  if (!session) return <SignInPage />;
  const content = (
    <>
      <Inside path={path} session={session} />
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

function Asking() {
  return (
    <main aria-busy="true" aria-label="Loading">
      <Loader color="teal" />
    </main>
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
