/** What a schedule plays. */

import { TextInput } from "@mantine/core";
import { SubjectChoice } from "../channels/SubjectChoice";
import { Radios } from "../ui/Radios";
import type { Fields } from "./fields";
import style from "./ScheduleEdit.module.css";

const TYPES = [
  { value: "music", label: "Music, for as long as its time lasts" },
  { value: "announcement", label: "An announcement, now and then" },
] as const;
const MUSIC = [
  { value: "channel", label: "A channel" },
  { value: "folder", label: "A folder of the library" },
] as const;

/** Music stays music: `isNew` says whether that can still be chosen. */
export function WhatFields({ draft, wrong, change, isNew }: Fields & { isNew: boolean }) {
  const { type, content, subject } = draft;
  return (
    <div className={style.fields}>
      <TextInput
        label="Name"
        maxLength={255}
        value={draft.name}
        error={wrong.name}
        onChange={(event) => change({ name: event.currentTarget.value })}
      />
      {isNew && (
        <Radios
          legend="What is heard"
          data={TYPES}
          value={type}
          onChange={(next) =>
            change({ type: next, content: next === "music" ? "channel" : "announcement", subject: null })
          }
        />
      )}
      {type === "music" && (
        <Radios
          legend="Where the music is"
          data={MUSIC}
          value={content === "folder" ? "folder" : "channel"}
          onChange={(next) => change({ content: next, subject: null })}
        />
      )}
      <SubjectChoice
        key={content}
        subject={content}
        spoken={false}
        chosen={subject}
        error={wrong.subject ?? false}
        onChange={(next) => change({ subject: next })}
      />
    </div>
  );
}
