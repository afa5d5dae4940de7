/** The pages about what is planned, for whoever may see each. */

import { useSession } from "../session/session";
import { SubPages } from "../ui/SubPages";

const PAGES = [
  { path: "/schedules", name: "Schedules", permission: "schedules.read" },
  { path: "/schedules/channels", name: "Channels", permission: "channels.read" },
  { path: "/schedules/forecast", name: "What will sound", permission: "playback.read" },
  { path: "/schedules/conflicts", name: "Conflicts", permission: "schedules.read" },
  { path: "/schedules/shared", name: "Day-parts and calendars", permission: "schedules.read" },
  { path: "/schedules/quiet", name: "Quiet hours", permission: "zones.read" },
  { path: "/schedules/feeds", name: "Feeds", permission: "schedules.read" },
] as const;

/** Stands at the top of each of them. */
export function SchedulePages() {
  const may = useSession()?.permissions ?? [];
  return <SubPages name="About schedules" pages={PAGES.filter((one) => may.includes(one.permission))} />;
}
