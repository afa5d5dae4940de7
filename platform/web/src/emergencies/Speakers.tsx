/** What each speaker reported of an emergency. */

import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { api, body } from "../api/client";
import { everyPage } from "../api/lists";
import { advice, asProblem } from "../api/problem";
import type { EmergencySpeaker } from "../api/types";
import { count, timeOfDay } from "../format";
import page from "../ui/Page.module.css";
import css from "./Emergencies.module.css";
import { sorted, STATE, summary, why } from "./reports";

/** Reports come round by round: nothing pushes them, so they are asked for while it sounds. */
const ASK_EVERY = 4_000;

interface Props {
  emergency: string;
  name: string;
  active: boolean;
}

/** Those that somebody must look at come first. */
export function Speakers({ emergency, name, active }: Props) {
  const found = useQuery({
    queryKey: ["emergencies", "speakers", emergency],
    staleTime: 0,
    refetchInterval: active ? ASK_EVERY : false,
    queryFn: () =>
      everyPage<EmergencySpeaker>(async (query) =>
        body(
          await api.GET("/api/v1/emergencies/{emergency_id}/speakers/", {
            params: { path: { emergency_id: emergency }, query },
          }),
        ),
      ),
  });
  if (found.isPending) {
    return (
      <div role="status" aria-label={`Loading: speakers of ${name}`}>
        <Skeleton height={56} />
      </div>
    );
  }
  if (found.isError) {
    const problem = asProblem(found.error);
    return (
      <p className={page.failed} role="alert">
        What speakers reported cannot be shown. {problem.detail} {advice(problem)}
      </p>
    );
  }
  return (
    <div className={css.report}>
      <p className={css.sum} role="status">
        {summary(found.data)}
      </p>
      <ul className={css.speakers} aria-label={`Speakers of ${name}`}>
        {sorted(found.data).map((speaker) => (
          <li key={speaker.device_id} className={css.speaker} data-state={speaker.state}>
            <p className={css.line}>
              <span>
                {speaker.name}
                <span className={css.zone}>{speaker.zone}</span>
              </span>
              <span className={css.state}>{STATE[speaker.state]}</span>
            </p>
            <p className={page.detail}>
              {speaker.first_at
                ? `From ${timeOfDay(speaker.first_at)} on, ${count(speaker.rounds, "round")}. ${why(speaker)}`
                : why(speaker)}
            </p>
          </li>
        ))}
      </ul>
    </div>
  );
}
