/** The page of floor staff: every zone, and a box to say something. */

import { Button, Drawer, Skeleton } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useState } from "react";
import type { ZoneView } from "../api/types";
import { useLiveState } from "../live/context";
import { useMayThere } from "../session/may";
import { type Draft, EMPTY, SayForm } from "../say/SayForm";
import { Header } from "../ui/Header";
import { MusicIcon, VoiceIcon, WarnIcon } from "../ui/icons";
import css from "./DashboardPage.module.css";
import { NowPlayingNews } from "./NowPlayingNews";
import { ZoneCard } from "./ZoneCard";

const WIDE = "(min-width: 1000px)";

/** Header, zones, and what can be said to them. */
export function DashboardPage() {
  const zones = useLiveState((state) => state.zones);
  const mayAnnounce = useMayThere("announce.now");
  const sorted = zones && [...zones.values()].sort((a, b) => a.name.localeCompare(b.name));
  const reached = (sorted ?? []).filter((zone) => mayAnnounce(zone.zone_id));
  const canSay = reached.length > 0;
  return (
    <>
      <Header />
      <main className={css.page} data-say={canSay || undefined}>
        <LostBanner />
        <section className={css.zones} aria-labelledby="zones">
          <h1 id="zones" className={css.heading}>
            Zones
          </h1>
          <Zones zones={sorted} />
        </section>
        {canSay && <SayPlaces zones={reached} />}
      </main>
      <NowPlayingNews />
    </>
  );
}

function Zones({ zones }: { zones: readonly ZoneView[] | null }) {
  const link = useLiveState((state) => state.link);
  if (!zones && link === "lost") return <Unreached />;
  if (!zones) return <Loading />;
  if (zones.length === 0) return <NoZones />;
  return (
    <ul className={css.list}>
      {zones.map((zone) => (
        <li key={zone.zone_id}>
          <ZoneCard zone={zone} />
        </li>
      ))}
    </ul>
  );
}

/** The box beside the zones where there is room; behind a button at the foot of a phone. */
function SayPlaces({ zones }: { zones: readonly ZoneView[] }) {
  const wide = useMediaQuery(WIDE, undefined, { getInitialValueInEffect: false });
  const [open, setOpen] = useState(false);
  const [draft, setDraft] = useState<Draft>(EMPTY);
  if (wide) {
    return (
      <aside className={css.aside} aria-label="Announcements">
        <div className={css.panel}>
          <h2 className={css.panelHead}>Say something</h2>
          <SayForm zones={zones} draft={draft} onDraft={setDraft} />
        </div>
      </aside>
    );
  }
  return (
    <>
      <div className={css.foot}>
        <Button
          size="lg"
          fullWidth
          leftSection={<VoiceIcon />}
          aria-haspopup="dialog"
          onClick={() => setOpen(true)}
        >
          Say something
        </Button>
      </div>
      <Drawer
        opened={open}
        onClose={() => setOpen(false)}
        position="bottom"
        size="auto"
        lockScroll={false}
        closeButtonProps={{ "aria-label": "Close", size: 44 }}
        title="Say something"
        classNames={{ content: css.sheet, header: css.sheetHead, title: css.panelHead }}
      >
        <SayForm
          zones={zones}
          draft={draft}
          onDraft={setDraft}
          onSaid={() => setOpen(false)}
        />
      </Drawer>
    </>
  );
}

function LostBanner() {
  const lost = useLiveState((state) => state.link === "lost" && state.zones !== null);
  if (!lost) return null;
  return (
    <p className={css.lost} role="status">
      <WarnIcon size={20} />
      <span>
        No connection to the server. The speakers play on; this page shows what was planned and
        connects again by itself.
      </span>
    </p>
  );
}

function Loading() {
  return (
    <div className={css.list} role="status" aria-label="Loading the zones">
      {[0, 1].map((n) => (
        <Skeleton key={n} height={318} radius={20} />
      ))}
    </div>
  );
}

function NoZones() {
  return (
    <div className={css.empty}>
      <MusicIcon size={40} />
      <h2>No zones yet</h2>
      <p>
        A zone is a part of the building with its own sound. A manager adds zones and their
        speakers; they appear here at once.
      </p>
    </div>
  );
}

function Unreached() {
  return (
    <div className={css.empty} role="alert">
      <WarnIcon size={40} />
      <h2>The server does not answer</h2>
      <p>
        The speakers play on without it. Check this device’s network; the page connects by itself
        as soon as the server is back.
      </p>
    </div>
  );
}
