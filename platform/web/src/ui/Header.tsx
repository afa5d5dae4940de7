/** The bar at the top: whose shop this is, whether the page is live, light or dark, sign out. */

import { ActionIcon, Menu, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { useLiveState } from "../live/context";
import type { Link } from "../live/connection";
import { endSession, useSession } from "../session/session";
import css from "./Header.module.css";
import { Mark, MoonIcon, PersonIcon, SunIcon } from "./icons";

const LINK: Record<Link, string> = {
  connecting: "Connecting",
  live: "Live",
  lost: "Reconnecting",
};

/** The page's header. */
export function Header() {
  const session = useSession();
  return (
    <header className={css.header}>
      <div className={css.inner}>
        <Mark size={32} />
        <span className={css.client}>{session?.client.name ?? "sync2gear"}</span>
        <LinkState />
        <SchemeToggle />
        <Menu position="bottom-end" width={240} radius="lg" shadow="md" keepMounted={false}>
          <Menu.Target>
            <ActionIcon size={44} radius="xl" variant="subtle" color="gray" aria-label="Account">
              <PersonIcon />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Label>
              {session?.user.name}
              <br />
              {session?.user.email}
            </Menu.Label>
            <Menu.Item className={css.item} onClick={() => endSession("left")}>
              Sign out
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </div>
    </header>
  );
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
