/** The bar at the top: whose shop this is, where to go, is the page live, light or dark, sign out. */

import {
  ActionIcon,
  Button,
  Menu,
  useComputedColorScheme,
  useMantineColorScheme,
} from "@mantine/core";
import { useEffect, useRef } from "react";
import { api } from "../api/client";
import { EmergencyBanner } from "../emergencies/EmergencyBanner";
import { useIsLive, useLiveState } from "../live/context";
import type { Link as State } from "../live/connection";
import { isWithin, navigate, usePath } from "../router";
import { endSession, restore, type Session, useSession } from "../session/session";
import { useSwitch } from "../session/switching";
import { Banners } from "./Banners";
import css from "./Header.module.css";
import { Mark, MoonIcon, PersonIcon, SunIcon } from "./icons";
import { Link } from "./Link";
import { tellProblem } from "./notify";

const LINK: Record<State, string> = {
  connecting: "Connecting",
  live: "Live",
  lost: "Reconnecting",
};

const PAGES = [
  { path: "/clients", name: "Clients", permission: "admin.read" },
  { path: "/voices", name: "Voices", permission: "admin.read" },
  { path: "/", name: "Zones", permission: "playback.read" },
  { path: "/library", name: "Library", permission: "music.read" },
  { path: "/schedules", name: "Schedules", permission: "schedules.read" },
  { path: "/announcements", name: "Announcements", permission: "announcements.read" },
  { path: "/emergencies", name: "Emergencies", permission: "emergencies.read" },
  { path: "/speakers", name: "Speakers", permission: "devices.read" },
  { path: "/proof", name: "Proof of play", permission: "playback.read" },
  { path: "/people", name: "People", permission: "users.read" },
  { path: "/tokens", name: "API tokens", permission: "tokens.read" },
  { path: "/audit", name: "Audit trail", permission: "audit.read" },
] as const;
/** What sync2gear's own people see while they are in no client. */
const OUTSIDE = new Set<string>(["/clients", "/voices", "/audit"]);

/** The page's header, and below it what everybody must know. */
export function Header() {
  const session = useSession();
  const live = useIsLive();
  return (
    <>
      <header className={css.header}>
        <div className={css.inner}>
          <Mark size={32} />
          {session && <Client session={session} />}
          {session && <Pages session={session} />}
          {live && <LinkState />}
          <SchemeToggle />
          {session && <Account session={session} />}
        </div>
        {live && <EmergencyBanner />}
      </header>
      {session && <Banners session={session} />}
    </>
  );
}

/** The client's name; where there are others, the way to them. */
function Client({ session }: { session: Session }) {
  const change = useSwitch();
  const name = session.client?.name ?? "sync2gear";
  const clients = session.clients ?? [];
  const others = clients.filter((one) => one.id !== session.client?.id);
  if (others.length === 0) return <span className={css.client}>{name}</span>;
  return (
    <span className={css.client}>
      <Menu position="bottom-start" width={260} radius="lg" shadow="md" keepMounted={false}>
        <Menu.Target>
          <Button
            className={css.switch}
            variant="subtle"
            color="gray"
            loading={change.isPending}
            aria-label={`Client: ${name}. Switch to another one`}
          >
            {name} ▾
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>Switch to</Menu.Label>
          {others.map((one) => (
            <Menu.Item key={one.id} className={css.item} onClick={() => change.mutate(one.id)}>
              {one.name}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
    </span>
  );
}

function Pages({ session }: { session: Session }) {
  const path = usePath();
  const inside = session.client !== null;
  const mine = PAGES.filter(
    ({ path: to, permission }) =>
      session.permissions.includes(permission) && (inside || OUTSIDE.has(to)),
  );
  const bar = useRef<HTMLElement>(null);
  useEffect(() => {
    // where they do not all fit, the one that is looked at is in the middle
    const here = bar.current?.querySelector<HTMLElement>("[aria-current]");
    if (!bar.current || !here) return;
    bar.current.scrollLeft = here.offsetLeft - (bar.current.clientWidth - here.offsetWidth) / 2;
  }, [path]);
  if (mine.length < 2) return null;
  return (
    <nav ref={bar} className={css.nav} aria-label="Pages">
      {mine.map((page) => (
        <Link
          key={page.path}
          href={page.path}
          className={css.page}
          aria-current={isWithin(path, page.path) ? "page" : undefined}
        >
          {page.name}
        </Link>
      ))}
    </nav>
  );
}

function Account({ session }: { session: Session }) {
  return (
    <Menu position="bottom-end" width={240} radius="lg" shadow="md" keepMounted={false}>
      <Menu.Target>
        <ActionIcon size={44} radius="xl" variant="subtle" color="gray" aria-label="Account">
          <PersonIcon />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {session.user.name}
          <br />
          {session.user.email}
        </Menu.Label>
        <Menu.Item className={css.item} onClick={() => navigate("/")}>
          Zones
        </Menu.Item>
        <Menu.Item className={css.item} onClick={() => navigate("/profile")}>
          Your account
        </Menu.Item>
        <Menu.Item className={css.item} onClick={() => navigate("/data")}>
          Data and deletion
        </Menu.Item>
        <Menu.Item className={css.item} onClick={() => void leave()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

/** Only once the platform has ended the session: a cookie that stays would still be good. */
async function leave(): Promise<void> {
  try {
    await api.POST("/api/v1/auth/logout/");
    navigate("/");
    endSession("left");
  } catch (error) {
    tellProblem("You are still signed in", error);
    void restore();
  }
}

function LinkState() {
  const link = useLiveState((state) => state.link);
  return (
    <span className={css.link} data-link={link} role="status" aria-label="Connection">
      <span className={css.dot} aria-hidden="true" />
      <span className={css.linkWord}>{LINK[link]}</span>
    </span>
  );
}

function SchemeToggle() {
  const { setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  const scheme = useComputedColorScheme("light", { getInitialValueInEffect: false });
  const other = scheme === "dark" ? "light" : "dark";
  return (
    <ActionIcon
      size={44}
      radius="xl"
      variant="subtle"
      color="gray"
      aria-label={`Use ${other} colours`}
      onClick={() => setColorScheme(other)}
    >
      {scheme === "dark" ? <SunIcon /> : <MoonIcon />}
    </ActionIcon>
  );
}
