/** What sounds in a zone now, how far it is, and what comes next. */

import { Button } from "@mantine/core";
import type { Segment, ZoneView } from "../api/types";
import { useLiveState } from "../live/context";
import { chosenFor, nextAfter, type Sounding, soundingAt } from "../live/sounding";
import { MusicIcon, VoiceIcon } from "../ui/icons";
import { useCommand } from "./commands";
import { Cover } from "./Cover";
import css from "./NowPlaying.module.css";
import { Progress } from "./Progress";

const KIND: Record<Segment["role"], string> = {
  music: "Music",
  event: "Announcement",
  emergency: "Emergency",
};

const SILENT: Record<ZoneView["status"], string> = {
  playing: "Quiet until what comes next",
  paused: "The music is paused",
  stopped: "Silence until somebody presses play",
  idle: "No music is chosen yet: a manager does that",
};
const CHOOSE = "Choose music and press play";

interface Props {
  zone: ZoneView;
  mayControl: boolean;
  mayChoose: boolean;
}

/** Follows the server's clock: renders once a second and when what sounds changes. */
export function NowPlaying({ zone, mayControl, mayChoose }: Props) {
  const frame = useLiveState((state) => state.frame);
  const sounding = soundingAt(zone, frame);
  const silent = zone.status === "idle" && mayChoose ? CHOOSE : SILENT[zone.status];
  return (
    <div className={css.now} data-role={sounding?.role ?? "none"}>
      <div className={css.what}>
        <Cover sounding={sounding} />
        <div className={css.words}>
          {sounding ? (
            <Words of={sounding} chosen={chosenFor(zone, sounding)} drill={zone.drill} />
          ) : (
            <p className={css.silence}>{silent}</p>
          )}
        </div>
      </div>
      {sounding && <Progress sounding={sounding} />}
      {zone.status !== "idle" && (
        <div className={css.after}>
          <Next zone={zone} frame={frame} />
          {mayControl && sounding?.role === "event" && <Stop zone={zone} event={sounding.item} />}
        </div>
      )}
    </div>
  );
}

function Words({
  of: { role, title, artist },
  chosen,
  drill,
}: {
  of: Sounding;
  chosen: string | null;
  drill: boolean;
}) {
  return (
    <>
      <span className={css.kind} data-role={role}>
        {role === "music" ? <MusicIcon size={14} /> : <VoiceIcon size={15} />}
        {role === "emergency" && drill ? "Drill" : KIND[role]}
      </span>
      <p className={css.title} title={title}>
        {title || "Untitled"}
      </p>
      <p className={css.artist}>{artist}</p>
      {chosen && <p className={css.chosen}>Chosen by hand: {chosen}</p>}
    </>
  );
}

function Next({ zone, frame }: { zone: ZoneView; frame: number }) {
  const next = nextAfter(zone, frame);
  if (!next) return null;
  return (
    <p className={css.next}>
      <span className={css.label}>{next.resumes ? "Then back to" : "Next"}</span>
      <span className={css.nextTitle}>{next.segment.title || "Untitled"}</span>
    </p>
  );
}

function Stop({ zone, event }: { zone: ZoneView; event: string }) {
  const command = useCommand(zone);
  return (
    <Button
      className={css.stop}
      variant="default"
      size="sm"
      loading={command.isPending}
      aria-label={`Stop the announcement in ${zone.name}`}
      onClick={() => command.mutate({ verb: "cancel", event })}
    >
      Stop it
    </Button>
  );
}
