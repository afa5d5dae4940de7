/** What a person can do to a zone beside choosing music: silence for a while, and back to the schedule. */

import { Button } from "@mantine/core";
import { useState } from "react";
import type { ZoneView } from "../api/types";
import { millisOf } from "../live/clock";
import { useLive } from "../live/context";
import { useMay } from "../session/session";
import { useCommand } from "./commands";
import { LastingFields } from "./LastingFields";
import css from "./MusicChoice.module.css";
import { OPEN_END, untilOf } from "./until";

interface Props {
  zone: ZoneView;
  onDone: () => void;
}

/** An emergency is heard in spite of silence. */
export function ByHand({ zone, onDone }: Props) {
  const stop = useCommand(zone);
  const back = useCommand(zone);
  const live = useLive();
  const maySeeSchedules = useMay("schedules.read");
  const [lasting, setLasting] = useState(OPEN_END);
  const silence = () => {
    const until = untilOf(lasting, millisOf(live.getState().frame));
    if (until !== undefined) stop.mutate({ verb: "stop", until }, { onSuccess: onDone });
  };
  return (
    <div className={css.hand}>
      <div className={css.pair}>
        <LastingFields
          open="Until somebody presses play"
          label={`Silence in ${zone.name}`}
          value={lasting}
          onChange={setLasting}
        />
        <Button
          variant="default"
          size="md"
          loading={stop.isPending}
          disabled={lasting.choice === "at" && !lasting.time}
          aria-label={`Silence ${zone.name}`}
          onClick={silence}
        >
          Silence
        </Button>
      </div>
      {maySeeSchedules && (
        <Button
          variant="default"
          loading={back.isPending}
          aria-label={`Back to the schedule in ${zone.name}`}
          onClick={() => back.mutate({ verb: "schedule" }, { onSuccess: onDone })}
        >
          Back to the schedule
        </Button>
      )}
    </div>
  );
}
