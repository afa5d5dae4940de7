/** One channel: what it is made of, how it plays, and what comes next. */

import { Button } from "@mantine/core";
import { useState } from "react";
import type { ChannelWhole } from "../api/types";
import { navigate } from "../router";
import { SchedulePages } from "../schedules/SchedulePages";
import { useMay } from "../session/session";
import { Asked } from "../ui/Asked";
import { Page, Section } from "../ui/Page";
import css from "../ui/Page.module.css";
import { useChannel } from "./api";
import { ChannelDialog } from "./ChannelDialog";
import { RemoveChannel } from "./ChannelsPage";
import { Lines } from "./Lines";
import { PatternDialog } from "./PatternDialog";
import { Preview } from "./Preview";
import { mannerWords } from "./words";

/** `/schedules/channels/ID`. */
export function ChannelPage({ id }: { id: string }) {
  const found = useChannel(id);
  if (found.data) return <Opened {...found.data} />;
  return (
    <Page title="Channel">
      <SchedulePages />
      <Asked of={found} name="Channel" refusal="The channel cannot be shown." height={160} />
    </Page>
  );
}

function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

type Open = "manner" | "pattern" | "remove" | null;

function Opened({ channel, tag }: { channel: ChannelWhole; tag: string }) {
  const mayWrite = useMay("channels.write");
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  return (
    <Page
      title={channel.name}
      action={
        mayWrite && (
          <Button variant="light" color="red" onClick={() => setOpen("remove")}>
            Remove the channel
          </Button>
        )
      }
    >
      <SchedulePages />
      <Lines channel={channel} mayWrite={mayWrite} />
      <Section
        title="How it plays"
        lead={channel.description}
        action={
          mayWrite && (
            <div className={css.buttons}>
              {channel.mode === "rotated" && (
                <Button variant="default" onClick={() => setOpen("pattern")}>
                  Pattern
                </Button>
              )}
              <Button variant="default" onClick={() => setOpen("manner")}>
                Change
              </Button>
            </div>
          )
        }
      >
        <p>{sentence(mannerWords(channel).join(" · "))}</p>
      </Section>
      <Preview channel={channel.id} />
      {open === "manner" && (
        <ChannelDialog channel={channel} tag={tag} onClose={close} onSaved={close} />
      )}
      {open === "pattern" && <PatternDialog channel={channel} onClose={close} />}
      {open === "remove" && (
        <RemoveChannel
          channel={channel}
          onClose={close}
          onDone={() => navigate("/schedules/channels")}
        />
      )}
    </Page>
  );
}
