/** One zone: what sounds, what comes, and the buttons. */

import { Button } from "@mantine/core";
import { memo, useId, useState } from "react";
import type { ZoneView } from "../api/types";
import { count } from "../format";
import { useMayThere } from "../session/may";
import { useMay } from "../session/session";
import { SpeakerIcon } from "../ui/icons";
import { ByHand } from "./ByHand";
import { MusicChoice } from "./MusicChoice";
import { NowPlaying } from "./NowPlaying";
import { Queue } from "./Queue";
import { Transport } from "./Transport";
import { Volume } from "./Volume";
import css from "./ZoneCard.module.css";

const STATUS: Record<ZoneView["status"], string> = {
  playing: "Playing",
  paused: "Paused",
  stopped: "Stopped",
  idle: "No music chosen",
};

/** A card that renders again when its zone changes; only its middle follows the clock. */
export const ZoneCard = memo(function ZoneCard({ zone }: { zone: ZoneView }) {
  const name = useId();
  const mayControl = useMayThere("playback.control")(zone.zone_id);
  const mayChoose = useMay("music.read") && mayControl; // who sees no music cannot choose any
  const [open, setOpen] = useState(false);
  const idle = zone.status === "idle";
  const choosing = idle || open;
  return (
    <article className={css.card} aria-labelledby={name} data-status={zone.status}>
      <header className={css.head}>
        <h2 id={name} className={css.name}>
          {zone.name}
        </h2>
        <span className={css.status} data-status={zone.status}>
          {STATUS[zone.status]}
        </span>
      </header>
      <NowPlaying zone={zone} mayControl={mayControl} mayChoose={mayChoose} />
      <Queue zone={zone} mayControl={mayControl} />
      {mayControl && (
        <div className={css.controls}>
          {choosing && mayChoose && <MusicChoice zone={zone} plain={idle} onPlayed={() => setOpen(false)} />}
          {open && <ByHand zone={zone} onDone={() => setOpen(false)} />}
          {!idle && <Transport zone={zone} />}
          <Volume zone={zone} />
        </div>
      )}
      <footer className={css.foot}>
        <Speakers online={zone.speakers.online} total={zone.speakers.total} />
        {mayChoose && !idle && (
          <Button
            className={css.change}
            variant="subtle"
            size="sm"
            aria-expanded={open}
            aria-label={`Change the music in ${zone.name}`}
            onClick={() => setOpen(!open)}
          >
            {open ? "Keep the music" : "Change music"}
          </Button>
        )}
      </footer>
    </article>
  );
});

function Speakers({ online, total }: { online: number; total: number }) {
  const state = total === 0 || online === 0 ? "none" : online < total ? "some" : "all";
  const text =
    total === 0 ? "No speaker in this zone" : `${online} of ${count(total, "speaker")} online`;
  return (
    <p className={css.speakers} data-state={state}>
      <SpeakerIcon size={18} />
      {text}
    </p>
  );
}
