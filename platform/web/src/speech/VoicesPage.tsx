/** Voices: who speaks for a client, in which voice, and what that costs. */

import { AnnouncementPages } from "../announcements/AnnouncementPages";
import { useMay } from "../session/session";
import { Page } from "../ui/Page";
import { useProviders } from "./api";
import { Providers } from "./Providers";
import { Usage } from "./Usage";
import { useSpeechSettings, UsualVoice } from "./UsualVoice";

/** For whoever may see a client's providers. */
export function VoicesPage() {
  const mayManage = useMay("providers.write");
  const mayWrite = useMay("announcements.write");
  const providers = useProviders("/api/v1/ai-providers/").data ?? [];
  const first = useSpeechSettings().data?.values.provider_id ?? "";
  return (
    <Page title="Voices">
      <AnnouncementPages />
      <Providers of="/api/v1/ai-providers/" first={first} mayWrite={mayManage} mayHear={mayWrite} />
      <UsualVoice providers={providers} mayWrite={mayWrite} />
      <Usage />
    </Page>
  );
}

/** For sync2gear's own people: what is offered to every client. */
export function OfferedVoicesPage() {
  const mayWrite = useMay("admin.write");
  return (
    <Page title="Voices for all clients">
      <Providers of="/api/v1/admin/ai-providers/" first="" mayWrite={mayWrite} mayHear={false} />
    </Page>
  );
}
