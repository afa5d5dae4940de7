/** Previous, play or pause, next. */

import { ActionIcon, Loader } from "@mantine/core";
import type { ZoneView } from "../api/types";
import { NextIcon, PauseIcon, PlayIcon, PreviousIcon } from "../ui/icons";
import { useCommand } from "./commands";
import css from "./Transport.module.css";

/** The buttons of one zone; the big one shows at once what it was told. */
export function Transport({ zone }: { zone: ZoneView }) {
  const toggle = useCommand(zone);
  const step = useCommand(zone);
  const asked = toggle.isPending ? toggle.variables.verb : null;
  const playing = asked ? asked === "resume" : zone.status === "playing";
  return (
    <div className={css.row} role="group" aria-label={`Playback in ${zone.name}`}>
      <ActionIcon
        className={css.side}
        variant="subtle"
        color="gray"
        size={56}
        radius="xl"
        disabled={step.isPending}
        aria-label={`Previous track in ${zone.name}`}
        onClick={() => step.mutate({ verb: "previous" })}
      >
        <PreviousIcon size={28} />
      </ActionIcon>
      <button
        type="button"
        className={css.main}
        aria-label={`${playing ? "Pause" : "Play"} ${zone.name}`}
        aria-busy={toggle.isPending}
        onClick={() => {
          if (!toggle.isPending) toggle.mutate({ verb: playing ? "pause" : "resume" });
        }}
      >
        {playing ? <PauseIcon size={34} /> : <PlayIcon size={34} />}
      </button>
      <ActionIcon
        className={css.side}
        variant="subtle"
        color="gray"
        size={56}
        radius="xl"
        disabled={step.isPending}
        aria-label={`Next track in ${zone.name}`}
        onClick={() => step.mutate({ verb: "next" })}
      >
        {step.isPending && step.variables.verb === "next" ? (
          <Loader size={20} color="gray" />
        ) : (
          <NextIcon size={28} />
        )}
      </ActionIcon>
    </div>
  );
}
