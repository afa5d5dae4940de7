/** A picture of something: shown, sent anew, taken away. */

import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useRef } from "react";
import { send } from "../api/client";
import { Failure } from "./Failure";
import css from "./Page.module.css";

interface Props {
  /** What it is called where it is spoken of: `cover`. */
  noun: string;
  /** Where it is sent to, and taken away from. */
  path: string;
  method?: "POST" | "PUT";
  /** What shows it; null where there is none. */
  shown: ReactNode;
  /** What stands in its place. */
  none: ReactNode;
  onChanged: (there: boolean) => void;
}

/** JPEG, PNG or WebP; the platform draws it anew in its sizes. */
export function PictureField({ noun, path, method = "POST", shown, none, onChanged }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const change = useMutation({
    mutationFn: (picture: File | null) =>
      picture ? send(path, method, picture) : send(path, "DELETE"),
    onSuccess: (_, picture) => onChanged(picture !== null),
  });
  return (
    <div className={css.form}>
      <Failure title={`The ${noun} was not changed`} error={change.error} />
      <div className={css.picture}>
        {shown ?? none}
        <div className={css.buttons}>
          <Button
            variant="default"
            loading={change.isPending}
            onClick={() => input.current?.click()}
          >
            {shown ? `Another ${noun}` : `Send a ${noun}`}
          </Button>
          {shown && (
            <Button
              variant="subtle"
              color="gray"
              disabled={change.isPending}
              onClick={() => change.mutate(null)}
            >
              Take it away
            </Button>
          )}
        </div>
      </div>
      <input
        ref={input}
        type="file"
        accept="image/jpeg,image/png,image/webp"
        aria-label={noun.charAt(0).toUpperCase() + noun.slice(1)}
        hidden
        onChange={(event) => {
          const picture = event.currentTarget.files?.[0];
          event.currentTarget.value = "";
          if (picture) change.mutate(picture);
        }}
      />
    </div>
  );
}
