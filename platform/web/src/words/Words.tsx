/** The dictionary of a client: words that voices would say wrong. */

import { Button, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { languageName } from "../announcements/voices";
import { api, body } from "../api/client";
import { useList } from "../api/lists";
import type { Pronunciation } from "../api/types";
import { Listed, Row, Section } from "../ui/Page";
import page from "../ui/Page.module.css";
import { Remove } from "../ui/Remove";
import { WordDialog } from "./WordDialog";

type Open =
  | { readonly what: "make" }
  | { readonly what: "change" | "remove"; readonly word: Pronunciation }
  | null;

/** Whole words only, in every text that is spoken from now on. */
export function Words({ mayWrite }: { mayWrite: boolean }) {
  const [search, setSearch] = useState("");
  const [settled] = useDebouncedValue(search.trim(), 250);
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  const list = useList(["words", settled], async (query) =>
    body(
      await api.GET("/api/v1/announcements/pronunciations/", {
        params: { query: { ...query, ...(settled && { search: settled }) } },
      }),
    ),
  );
  return (
    <Section
      title="How words are said"
      lead="Names and words that a voice would say wrong. It counts for what is spoken from now on."
      action={mayWrite && <Button onClick={() => setOpen({ what: "make" })}>Add a word</Button>}
    >
      <div className={page.pair} role="search">
        <TextInput
          label="Search"
          type="search"
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
        />
      </div>
      <Listed
        list={list}
        name="Words"
        empty={settled ? "There is no such word." : "No word is written down yet: voices say all of them as they think."}
        keyOf={({ id }) => id}
        row={(word) => (
          <Row
            title={
              <>
                {word.word}
                {word.language && <span className={page.tag}>{languageName(word.language)}</span>}
              </>
            }
            detail={inWords(word)}
          >
            {mayWrite && (
              <>
                <Button
                  variant="default"
                  aria-label={`Change how ${word.word} is said`}
                  onClick={() => setOpen({ what: "change", word })}
                >
                  Change
                </Button>
                <Button
                  variant="subtle"
                  color="gray"
                  aria-label={`Remove ${word.word}`}
                  onClick={() => setOpen({ what: "remove", word })}
                >
                  Remove
                </Button>
              </>
            )}
          </Row>
        )}
      />
      {open?.what === "make" && <WordDialog word={null} onClose={close} />}
      {open?.what === "change" && <WordDialog word={open.word} onClose={close} />}
      {open?.what === "remove" && <RemoveWord word={open.word} onClose={close} />}
    </Section>
  );
}

function inWords({ replacement, ipa, match_case }: Pronunciation): string {
  return [`said as “${replacement}”`, ipa && `or ${ipa}`, match_case && "written exactly so"]
    .filter(Boolean)
    .join(" · ");
}

function RemoveWord({ word, onClose }: { word: Pronunciation; onClose: () => void }) {
  const queries = useQueryClient();
  return (
    <Remove
      title={`Remove ${word.word}?`}
      remove={async () => {
        const params = { path: { word_id: word.id } };
        await api.DELETE("/api/v1/announcements/pronunciations/{word_id}/", { params });
      }}
      onClose={onClose}
      onDone={() => {
        void queries.invalidateQueries({ queryKey: ["words"] });
        onClose();
      }}
    >
      Voices say it as they think again. What was spoken before stays as it is.
    </Remove>
  );
}
