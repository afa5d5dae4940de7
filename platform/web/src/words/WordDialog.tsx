/** How one word is said: in letters, and in phonemes for the voices that speak them. */

import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useVoices } from "../announcements/api";
import { VoicePreview } from "../announcements/VoicePreview";
import { byLanguage, languageName } from "../announcements/voices";
import { api, body } from "../api/client";
import type { Pronunciation } from "../api/types";
import { Check } from "../ui/Check";
import { Dialog } from "../ui/Dialog";
import { Failure } from "../ui/Failure";
import css from "../ui/Page.module.css";

interface Props {
  /** Null adds one. */
  word: Pronunciation | null;
  onClose: () => void;
}

/** It can be heard before it is saved. */
export function WordDialog({ word, onClose }: Props) {
  const [given, setGiven] = useState({
    word: word?.word ?? "",
    language: word?.language ?? "",
    replacement: word?.replacement ?? "",
    ipa: word?.ipa ?? "",
    match_case: word?.match_case ?? false,
  });
  const [tried, setTried] = useState(false);
  const voices = useVoices();
  const [voice, setVoice] = useState("");
  const queries = useQueryClient();
  const languages = [...new Set([...voices.map(({ language }) => language), given.language])].filter(Boolean);
  const complete = given.word.trim() !== "" && given.replacement.trim() !== "";
  const heard = voice || (voices[0]?.id ?? "");
  const change = (some: Partial<typeof given>) => setGiven({ ...given, ...some });
  const save = useMutation({
    mutationFn: async () => {
      if (!word) return body(await api.POST("/api/v1/announcements/pronunciations/", { body: given }));
      const params = { path: { word_id: word.id } };
      return body(await api.PATCH("/api/v1/announcements/pronunciations/{word_id}/", { params, body: given }));
    },
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ["words"] });
      onClose();
    },
  });
  return (
    <Dialog title={word ? `Change ${word.word}` : "Add a word"} opened onClose={onClose}>
      <form
        className={css.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (complete) save.mutate();
        }}
      >
        <Failure title="It was not saved" error={save.error} />
        <div className={css.pair}>
          <TextInput
            label="Word"
            placeholder="Nguyen"
            maxLength={100}
            value={given.word}
            error={tried && !given.word.trim() && "Write the word."}
            onChange={(event) => change({ word: event.currentTarget.value })}
            data-autofocus
          />
          <NativeSelect
            label="In which language"
            data={[
              { value: "", label: "In every one" },
              ...languages.map((code) => ({ value: code, label: languageName(code) })),
            ]}
            value={given.language}
            onChange={(event) => change({ language: event.currentTarget.value })}
          />
        </div>
        <TextInput
          label="Said as"
          description="Written so that a voice reads it aloud as it should sound."
          placeholder="win"
          maxLength={200}
          value={given.replacement}
          error={tried && !given.replacement.trim() && "Write how it is said."}
          onChange={(event) => change({ replacement: event.currentTarget.value })}
        />
        <TextInput
          label="Phonemes (may be left empty)"
          description="In the International Phonetic Alphabet, for voices that speak them."
          placeholder="wɪn"
          maxLength={200}
          value={given.ipa}
          onChange={(event) => change({ ipa: event.currentTarget.value })}
        />
        <Check
          label="Only where capital letters agree"
          checked={given.match_case}
          onChange={(match_case) => change({ match_case })}
        />
        {voices.length > 0 && (
          <div className={css.pair}>
            <NativeSelect
              label="Heard in the voice"
              data={byLanguage(voices)}
              value={heard}
              onChange={(event) => setVoice(event.currentTarget.value)}
            />
            {given.replacement.trim() && <VoicePreview voice={heard} text={given.replacement.trim()} />}
          </div>
        )}
        <div className={css.actions}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending}>
            {word ? "Save" : "Add it"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
