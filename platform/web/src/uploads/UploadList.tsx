/** Every file on its way: how far it is, what became of it, and what can be done. */

import { Button } from "@mantine/core";
import { count } from "../format";
import { Section } from "../ui/Page";
import page from "../ui/Page.module.css";
import { Unfinished } from "./Unfinished";
import { retry } from "./following";
import { cancel, forget, forgetReady, pause, pauseAll, resume, resumeAll, useItems } from "./queue";
import { bytes, isLeaving, type Item, percent, type Phase, total } from "./rules";
import { type Endpoint, goesTo } from "./sending";
import css from "./Uploads.module.css";

const WORD: Record<Phase, string> = {
  waiting: "Waits for its turn",
  sending: "On its way",
  paused: "Paused",
  stuck: "No connection",
  processing: "Is listened to and measured",
  ready: "Ready",
  failed: "Not taken",
};

/** What needs somebody comes first, what is done last. */
const RANK: Record<Phase, number> = {
  failed: 0, stuck: 1, sending: 2, processing: 3, paused: 4, waiting: 5, ready: 6,
};
const SHOWN = 60;

/** Of one endpoint; nothing at all while there is nothing to tell. */
export function UploadList({ of }: { of: Endpoint }) {
  const items = useItems().filter(({ purpose }) => goesTo(purpose, of));
  const sorted = items.toSorted((a, b) => RANK[a.phase] - RANK[b.phase]);
  if (items.length === 0) return <Unfinished of={of} />;
  return (
    <Section title="Uploads" action={<Together items={items} />}>
      <Whole items={items} />
      <ul className={page.list} aria-label="Files">
        {sorted.slice(0, SHOWN).map((item) => (
          <li key={item.key} className={page.row}>
            <Line item={item} />
          </li>
        ))}
      </ul>
      {sorted.length > SHOWN && (
        <p className={page.lead}>and {count(sorted.length - SHOWN, "more file")}</p>
      )}
    </Section>
  );
}

function Whole({ items }: { items: readonly Item[] }) {
  const all = total(items);
  const share = percent(all.sent, all.size);
  const done = `${all.ready} of ${count(all.files, "file")} ready`;
  const failed = all.failed > 0 ? `, ${all.failed} not taken` : "";
  return (
    <div className={css.total}>
      <p role="status">
        {done}
        {failed} · {bytes(all.sent)} of {bytes(all.size)} sent
      </p>
      <Bar label="All uploads" share={share} moving={false} />
    </div>
  );
}

function Together({ items }: { items: readonly Item[] }) {
  const has = (...phases: Phase[]) => items.some(({ phase }) => phases.includes(phase));
  return (
    <div className={page.buttons}>
      {has("sending", "waiting") && (
        <Button variant="default" onClick={() => void pauseAll()}>
          Pause all
        </Button>
      )}
      {has("paused", "stuck") && <Button onClick={resumeAll}>Go on</Button>}
      {has("ready") && (
        <Button variant="default" onClick={forgetReady}>
          Clear what is ready
        </Button>
      )}
    </div>
  );
}

function Line({ item }: { item: Item }) {
  const { key, name, phase, sent, size, reason, progress } = item;
  const share = phase === "processing" ? progress : percent(sent, size);
  const leaving = isLeaving(phase);
  return (
    <>
      <div className={css.line}>
        <p className={css.name}>
          <span>{name}</span>
          <span>{leaving ? `${bytes(sent)} of ${bytes(size)}` : bytes(size)}</span>
        </p>
        {(leaving || phase === "processing") && (
          <Bar label={name} share={share} moving={phase === "processing"} />
        )}
        <p className={page.detail}>
          {WORD[phase]}
          {reason && (
            <span className={phase === "ready" ? undefined : css.reason}> · {reason}</span>
          )}
        </p>
      </div>
      <div className={page.buttons}>
        {(phase === "sending" || phase === "waiting") && (
          <Button variant="default" aria-label={`Pause ${name}`} onClick={() => void pause(key)}>
            Pause
          </Button>
        )}
        {(phase === "paused" || phase === "stuck") && (
          <Button variant="default" aria-label={`Go on with ${name}`} onClick={() => resume(key)}>
            Go on
          </Button>
        )}
        {phase === "failed" && item.again && (
          <Button variant="default" aria-label={`Try ${name} again`} onClick={() => void retry(item)}>
            Try again
          </Button>
        )}
        {leaving && (
          <Button variant="subtle" color="gray" aria-label={`Give up ${name}`} onClick={() => void cancel(key)}>
            Give up
          </Button>
        )}
        {phase === "failed" && (
          <Button variant="subtle" color="gray" aria-label={`Dismiss ${name}`} onClick={() => forget(key)}>
            Dismiss
          </Button>
        )}
      </div>
    </>
  );
}

function Bar({ label, share, moving }: { label: string; share: number; moving: boolean }) {
  return (
    <div
      className={css.bar}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={share}
      data-moving={moving || undefined}
    >
      <div style={{ transform: `scaleX(${share / 100})` }} />
    </div>
  );
}
