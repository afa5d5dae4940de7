/** Hear something here, not in a zone. */

import { ActionIcon } from "@mantine/core";
import { PauseIcon, PlayIcon, WarnIcon } from "../ui/icons";
import { toggle, useHeard } from "./preview";

interface Props {
  source: string;
  name: string;
  autoFocus?: boolean;
}

/** Plays and pauses. */
export function PreviewButton({ source, name, autoFocus = false }: Props) {
  const { playing, failed } = useHeard(source);
  const words = failed ? `${name} cannot be heard here. Try again` : `Listen to ${name}`;
  return (
    <ActionIcon
      size={44}
      radius="xl"
      variant="light"
      color={failed ? "red" : "teal"}
      aria-label={playing ? `Stop listening to ${name}` : words}
      autoFocus={autoFocus}
      onClick={() => toggle(source)}
    >
      {playing ? <PauseIcon /> : failed ? <WarnIcon /> : <PlayIcon />}
    </ActionIcon>
  );
}
