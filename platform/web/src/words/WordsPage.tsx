/** Words and chimes: how a client's words are said, and what sounds around every announcement. */

import { AnnouncementPages } from "../announcements/AnnouncementPages";
import { useMay } from "../session/session";
import { Page } from "../ui/Page";
import { UsualSound } from "./UsualSound";
import { Words } from "./Words";

/** Shown to whoever sees announcements; changed by whoever makes them. */
export function WordsPage() {
  const mayWrite = useMay("announcements.write");
  return (
    <Page title="Words and chimes">
      <AnnouncementPages />
      <Words mayWrite={mayWrite} />
      <UsualSound mayWrite={mayWrite} />
    </Page>
  );
}
