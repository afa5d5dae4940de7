/** The receipt tree of a play: each zone, each of its speakers, and how far it has come. */

import { Skeleton } from "@mantine/core";
import type { PlayTree, SpeakerReceipt } from "../api/types";
import { timeOfDay } from "../format";
import { useLiveState } from "../live/context";
import page from "../ui/Page.module.css";
import css from "./Receipts.module.css";
import { lateness, STAGE, steps, summary, why } from "./stages";
import { usePlay } from "./usePlay";

/** Moves while the play does; stands still when it is over. */
export function Receipts({ play }: { play: string }) {
  const told = usePlay(play);
  const lost = useLiveState(({ link }) => link === "lost");
  if (told?.refusal) {
    return (
      <p className={page.failed} role="alert">
        What became of it cannot be shown. {told.refusal}
      </p>
    );
  }
  if (!told?.tree) {
    return lost ? (
      <p className={page.failed} role="alert">
        The server does not answer. What became of it is shown as soon as it does.
      </p>
    ) : (
      <div role="status" aria-label="Loading what became of it">
        <Skeleton height={72} />
      </div>
    );
  }
  const { tree, over } = told;
  return (
    <div className={css.tree}>
      <p role="status" className={css.sum}>
        {summary(tree)}
        {!over && lost && " No connection: there may be more to tell."}
      </p>
      <Zones tree={tree} />
    </div>
  );
}

function Zones({ tree }: { tree: PlayTree }) {
  return (
    <ul className={css.zones} aria-label={`What became of ${tree.title}`}>
      {tree.zones.map(({ zone_id, name, starts_at, state, cancelled_at, speakers }) => (
        <li key={zone_id} className={css.zone} data-state={state}>
          <p className={css.head}>
            <strong>{name}</strong>
            <span>
              {cancelled_at ? `called off at ${timeOfDay(cancelled_at)}` : timeOfDay(starts_at)}
            </span>
          </p>
          {speakers.length === 0 ? (
            <p className={page.detail}>There is no speaker in this zone.</p>
          ) : (
            <ul className={css.speakers} aria-label={`Speakers of ${name}`}>
              {speakers.map((speaker) => (
                <li key={speaker.device_id} className={css.speaker} data-state={speaker.state}>
                  <Speaker speaker={speaker} />
                </li>
              ))}
            </ul>
          )}
        </li>
      ))}
    </ul>
  );
}

function Speaker({ speaker }: { speaker: SpeakerReceipt }) {
  const { name, state, reason, late_millis } = speaker;
  const late = lateness(late_millis);
  return (
    <>
      <p className={css.head}>
        <span>{name}</span>
        <span className={css.state}>{STAGE[state]}</span>
      </p>
      <ol className={css.steps}>
        {steps(speaker).map((step) => (
          <li key={step.name} data-taken={step.at !== "" || undefined}>
            <span>{step.name}</span>
            <span>{step.at ? timeOfDay(step.at) : "–"}</span>
          </li>
        ))}
      </ol>
      {(reason || late) && (
        <p className={css.why}>{[why(reason), late && `It began ${late}.`].filter(Boolean).join(" ")}</p>
      )}
    </>
  );
}
