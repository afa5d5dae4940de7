/** The box to say something: a text, where, and one button. */

import { Alert, Button, Textarea } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import type { KeyboardEvent, SubmitEvent } from "react";
import { AT_ONCE, type Patience, toPatience } from "../announcements/patience";
import { PatienceFields } from "../announcements/PatienceFields";
import { api, body } from "../api/client";
import { advice, asProblem } from "../api/problem";
import type { Said, ZoneView } from "../api/types";
import { count, names, timeOfDay } from "../format";
import { VoiceIcon, WarnIcon } from "../ui/icons";
import { Link } from "../ui/Link";
import { tellDone } from "../ui/notify";
import css from "./SayForm.module.css";
import { ZoneChoice } from "./ZoneChoice";

const LONGEST = 5000;

/** What is written and where it is to be said; null means all zones, also those added later. */
export interface Draft {
  readonly text: string;
  readonly chosen: ReadonlySet<string> | null;
  readonly patience: Patience;
}

export const EMPTY: Draft = { text: "", chosen: null, patience: AT_ONCE };

interface Props {
  zones: readonly ZoneView[];
  draft: Draft;
  onDraft: (draft: Draft) => void;
  onSaid?: () => void;
}

/** Speaks a text in the chosen zones; keeps the text when it could not. */
export function SayForm({ zones, draft, onDraft, onSaid }: Props) {
  const { text, chosen, patience } = draft;
  const targets = zones.filter((zone) => chosen === null || chosen.has(zone.zone_id));
  const say = useMutation({
    mutationFn: async () =>
      body(
        await api.POST("/api/v1/announcements/say/", {
          body: {
            text: text.trim(),
            zone_ids: targets.map((zone) => zone.zone_id),
            ...toPatience(patience),
          },
        }),
      ),
    onSuccess: (said) => {
      tellDone("The announcement is on its way", <Started said={said} zones={zones} />);
      onDraft({ ...EMPTY, chosen });
      onSaid?.();
    },
  });
  const obstacle = whyNot(text, targets.length);
  const submit = (event?: SubmitEvent) => {
    event?.preventDefault();
    if (!obstacle && !say.isPending) say.mutate();
  };
  const shortcut = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit();
  };
  const problem = say.isError ? asProblem(say.error) : null;
  return (
    <form className={css.form} onSubmit={submit} aria-label="Say something">
      <Textarea
        label="Text"
        placeholder="Dear customers, …"
        rows={5}
        value={text}
        description={`${text.length.toLocaleString("en")} of ${LONGEST.toLocaleString("en")} characters`}
        inputWrapperOrder={["label", "input", "description"]}
        classNames={{ description: css.counter }}
        error={text.length > LONGEST}
        onChange={(event) => onDraft({ ...draft, text: event.currentTarget.value })}
        onKeyDown={shortcut}
        data-autofocus
      />
      <ZoneChoice
        zones={zones}
        chosen={chosen}
        onChange={(next) => onDraft({ ...draft, chosen: next })}
      />
      <PatienceFields value={patience} onChange={(next) => onDraft({ ...draft, patience: next })} />
      {problem && (
        <Alert
          color="red"
          icon={<WarnIcon size={20} />}
          role="alert"
          title="The announcement was not sent"
        >
          {problem.detail} {advice(problem)}
        </Alert>
      )}
      <Button
        type="submit"
        size="lg"
        fullWidth
        leftSection={<VoiceIcon />}
        loading={say.isPending}
        disabled={obstacle !== null}
      >
        {patience.delay > 0 ? "Say it" : "Say it now"}
      </Button>
      <p className={css.why}>
        {obstacle ?? `In ${count(targets.length, "zone")}. Music pauses and goes on where it was.`}
      </p>
    </form>
  );
}

function whyNot(text: string, targets: number): string | null {
  if (!text.trim()) return "Write what is to be said.";
  if (text.length > LONGEST) return `Shorten it by ${count(text.length - LONGEST, "character")}.`;
  if (targets === 0) return "Choose at least one zone.";
  return null;
}

/** When and where it begins, and the way to what becomes of it. */
function Started({ said, zones }: { said: Said; zones: readonly ZoneView[] }) {
  const play = said.plays[0]?.play_id;
  return (
    <>
      {started(said, zones)}{" "}
      {play && <Link href={`/announcements/plays/${play}`}>Who heard it</Link>}
    </>
  );
}

function started(said: Said, zones: readonly ZoneView[]): string {
  const first = said.plays.reduce<string | null>(
    (least, { starts_at }) => (least === null || starts_at < least ? starts_at : least),
    null,
  );
  const where = names(
    said.plays.map((play) => zones.find((z) => z.zone_id === play.zone_id)?.name ?? "a zone"),
  );
  return first === null ? "It starts shortly." : `It starts at ${timeOfDay(first)} in ${where}.`;
}
