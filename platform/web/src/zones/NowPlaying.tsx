/** What sounds in a zone now, how far it is, and what comes next. */

import { Button } from "@mantine/core";
import type { Segment, ZoneView } from "../api/types";
import { useLiveState } from "../live/context";
import { nextAfter, type Sounding, soundingAt } from "../live/sounding";
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
  playing: "Waiting for what plays now",
  paused: "The music is paused",
  stopped: "Silence until somebody starts it again",
  idle: "Choose music and press play",
};

interface Props {
  zone: ZoneView;
  mayControl: boolean;
}

/** Follows the server's clock: renders once a second and when what sounds changes. */
export function NowPlaying({ zone, mayControl }: Props) {
  const frame = useLiveState((state) => state.frame);
  const sounding = soundingAt(zone, frame);
  const role = sounding?.segment.role ?? "none";
  return (
    <div className={css.now} data-role={role}>
      <div className={css.what}>
        <Cover segment={sounding?.segment ?? null} moving={sounding?.moving ?? false} />
        <div className={css.words}>
          {sounding ? <Words segment={sounding.segment} /> : <Silence status={zone.status} />}
        </div>
      </div>
      {sounding && <Progress sounding={sounding} />}
      {zone.status !== "idle" && <Next next={nextAfter(zone, frame)} />}
      {mayControl && sounding?.segment.role === "event" && <Stop zone={zone} of={sounding} />}
    </div>
  );
}

function Words({ segment }: { segment: Segment }) {
  const title = segment.title || "Untitled";
  return (
    <>
      <span className={css.kind} data-role={segment.role}>
        {segment.role === "music" ? <MusicIcon size={14} /> : <VoiceIcon size={15} />}
        {KIND[segment.role]}
      </span>
      <p className={css.title} title={title}>
        {title}
      </p>
      <p className={css.artist}>{segment.artist}</p>
    </>
  );
}

function Silence({ status }: { status: ZoneView["status"] }) {
  return <p className={css.silence}>{SILENT[status]}</p>;
}

function Next({ next }: { next: Segment | null }) {
  const back = next?.role === "music" && next.offset > 0;
  return (
    <p className={css.next}>
      <span className={css.label}>{back ? "Then back to" : "Next"}</span>
      <span className={css.nextTitle}>{next ? next.title || "Untitled" : "–"}</span>
    </p>
  );
}

function Stop({ zone, of }: { zone: ZoneView; of: Sounding }) {
  const command = useCommand(zone);
  return (
    <Button
      variant="default"
      size="md"
      loading={command.isPending}
      aria-label={`Stop the announcement in ${zone.name}`}
      onClick={() => command.mutate({ verb: "cancel", event: of.segment.item })}
    >
      Stop the announcement
    </Button>
  );
}
