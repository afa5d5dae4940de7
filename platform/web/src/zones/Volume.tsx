/** How loud a zone is: the slider answers at once and tells the platform when the hand rests. */

import { ActionIcon } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import type { ZoneView } from "../api/types";
import { MuteIcon, VolumeIcon } from "../ui/icons";
import { useCommand } from "./commands";
import css from "./Volume.module.css";

const REST = 200;

/** A mute button and a slider from 0 to 100. */
export function Volume({ zone }: { zone: ZoneView }) {
  const command = useCommand(zone);
  const mute = useCommand(zone);
  const [draft, setDraft] = useState<number | null>(null);
  const timer = useRef<number | undefined>(undefined);
  useEffect(() => () => window.clearTimeout(timer.current), []);

  const shown = draft ?? zone.volume;
  const muted = mute.isPending && mute.variables.verb === "volume"
    ? (mute.variables.mute ?? zone.mute)
    : zone.mute;
  const change = (volume: number) => {
    setDraft(volume);
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => {
      // Whatever the answer, the zone's own volume is shown again, unless the hand moved on.
      command.mutate(
        { verb: "volume", volume },
        { onSettled: () => setDraft((now) => (now === volume ? null : now)) },
      );
    }, REST);
  };

  return (
    <div className={css.row}>
      <ActionIcon
        className={css.mute}
        variant="subtle"
        color="gray"
        size={44}
        radius="xl"
        aria-label={`Mute ${zone.name}`}
        aria-pressed={muted}
        data-muted={muted || undefined}
        onClick={() => mute.mutate({ verb: "volume", volume: shown, mute: !muted })}
      >
        {muted ? <MuteIcon /> : <VolumeIcon />}
      </ActionIcon>
      <input
        className={css.slider}
        type="range"
        min={0}
        max={100}
        value={shown}
        aria-label={`Volume of ${zone.name}`}
        aria-valuetext={muted ? `${shown} percent, muted` : `${shown} percent`}
        data-muted={muted || undefined}
        style={{ "--value": `${shown}%` }}
        onChange={(event) => change(event.currentTarget.valueAsNumber)}
      />
      <output className={css.number} aria-hidden="true">
        {shown}
      </output>
    </div>
  );
}
