/** The pages about announcements, for whoever may see each. */

import { useSession } from "../session/session";
import { SubPages } from "../ui/SubPages";

export const PAGES = [
  { path: "/announcements", name: "Announcements", permission: "announcements.read" },
  { path: "/announcements/plays", name: "What was heard", permission: "playback.read" },
  { path: "/announcements/words", name: "Words and chimes", permission: "announcements.read" },
  { path: "/announcements/voices", name: "Voices", permission: "providers.read" },
] as const;

/** Stands at the top of each of them. */
export function AnnouncementPages() {
  const may = useSession()?.permissions ?? [];
  return (
    <SubPages name="About announcements" pages={PAGES.filter((one) => may.includes(one.permission))} />
  );
}
