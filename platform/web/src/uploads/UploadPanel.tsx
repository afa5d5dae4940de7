/** Where files are dropped or chosen, and how far each of them is. */

import { Button } from "@mantine/core";
import { type DragEvent, type ReactNode, useRef, useState } from "react";
import { count } from "../format";
import { tellDone, tellProblem } from "../ui/notify";
import { chosen, dropped, type Found } from "./files";
import { send } from "./queue";
import type { Purpose } from "./rules";
import css from "./Uploads.module.css";

interface Props {
  purpose: Purpose;
  folder: string;
  /** Where they go, for the words. */
  where: string;
  /** Files are on their way now. */
  onTaken?: () => void;
}

/** Sends what was found, and says what was left behind. */
function take({ files, left }: Found, { purpose, folder, onTaken }: Props): void {
  if (left > 0) {
    tellDone("Only audio is sent", `${count(left, "file")} of that folder stayed behind.`);
  }
  if (files.length === 0) return;
  send(files.map((file) => ({ file, purpose, folder })));
  onTaken?.();
}

/** A field to drop files on, and two buttons for whoever has no mouse. */
export function UploadPanel(props: Props) {
  const single = useRef<HTMLInputElement>(null);
  const whole = useRef<HTMLInputElement>(null);
  const picked = (input: HTMLInputElement, isFolder: boolean) => {
    take(chosen(input.files ?? [], isFolder), props);
    input.value = ""; // the same files may be chosen again
  };
  return (
    <DropZone onFound={(found) => take(found, props)}>
      <p>
        Drop audio files or whole folders here, or choose them. They go to {props.where}; a cut line or a
        closed window loses nothing.
      </p>
      <Button onClick={() => single.current?.click()}>Choose files</Button>
      <Button variant="default" onClick={() => whole.current?.click()}>
        Choose a folder
      </Button>
      <input
        ref={single}
        className={css.input}
        type="file"
        multiple
        aria-label="Files"
        onChange={(event) => picked(event.currentTarget, false)}
      />
      <input
        ref={whole}
        className={css.input}
        type="file"
        aria-label="Folder"
        {...{ webkitdirectory: "" }}
        onChange={(event) => picked(event.currentTarget, true)}
      />
    </DropZone>
  );
}

interface ZoneProps {
  onFound: (found: Found) => void;
  children: ReactNode;
}

function DropZone({ onFound, children }: ZoneProps) {
  const [over, setOver] = useState(false);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    dropped(event.dataTransfer).then(onFound, (error: unknown) =>
      tellProblem("These files cannot be read", error),
    );
  };
  return (
    <div
      className={css.zone}
      data-over={over || undefined}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      {children}
    </div>
  );
}
