/** The channels of a client: found, made, removed. */

import { ActionIcon, Button, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { api } from "../api/client";
import type { Channel } from "../api/types";
import { navigate } from "../router";
import { SchedulePages } from "../schedules/SchedulePages";
import { useMay } from "../session/session";
import { TrashIcon } from "../ui/icons";
import { Link } from "../ui/Link";
import { tellDone } from "../ui/notify";
import { Listed, Page, Row, Section } from "../ui/Page";
import css from "../ui/Page.module.css";
import { Remove } from "../ui/Remove";
import { useChannels, useRefresh } from "./api";
import { ChannelDialog } from "./ChannelDialog";
import { mannerWords } from "./words";

/** The address of a channel's page. */
export function addressOf(id: string): string {
  return `/schedules/channels/${id}`;
}

/** Whoever may not change them looks at them. */
export function ChannelsPage() {
  const mayWrite = useMay("channels.write");
  const [search, setSearch] = useState("");
  const [settled] = useDebouncedValue(search.trim(), 300);
  const [making, setMaking] = useState(false);
  const [removing, setRemoving] = useState<Channel | null>(null);
  const list = useChannels(settled);
  return (
    <Page
      title="Channels"
      action={mayWrite && <Button onClick={() => setMaking(true)}>New channel</Button>}
    >
      <SchedulePages />
      <Section
        title="What schedules play"
        lead="A channel is music, and announcements between it, in one rotation or one order. Schedules say where and when it is heard."
      >
        <TextInput
          label="Search"
          type="search"
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
        />
        <Listed
          list={list}
          name="Channels"
          empty={settled ? "No channel is called so." : "There is no channel yet."}
          keyOf={({ id }) => id}
          row={(channel) => (
            <Row
              title={
                <Link className={css.link} href={addressOf(channel.id)}>
                  {channel.name}
                </Link>
              }
              detail={
                <>
                  {channel.description && (
                    <>
                      {channel.description}
                      <br />
                    </>
                  )}
                  {mannerWords(channel).join(" · ")}
                </>
              }
            >
              <Button
                variant="default"
                aria-label={`Open ${channel.name}`}
                onClick={() => navigate(addressOf(channel.id))}
              >
                Open
              </Button>
              {mayWrite && (
                <ActionIcon
                  size={44}
                  variant="subtle"
                  color="red"
                  aria-label={`Remove ${channel.name}`}
                  onClick={() => setRemoving(channel)}
                >
                  <TrashIcon />
                </ActionIcon>
              )}
            </Row>
          )}
        />
      </Section>
      {making && (
        <ChannelDialog
          channel={null}
          onClose={() => setMaking(false)}
          onSaved={({ id }) => navigate(addressOf(id))}
        />
      )}
      {removing && <RemoveChannel channel={removing} onClose={() => setRemoving(null)} />}
    </Page>
  );
}

interface RemoveProps {
  channel: Channel;
  onClose: () => void;
  onDone?: () => void;
}

/** Says who plays it first. */
export function RemoveChannel({ channel, onClose, onDone }: RemoveProps) {
  const refresh = useRefresh();
  return (
    <Remove
      title={`Remove ${channel.name}?`}
      remove={async (force) => {
        const params = { path: { channel_id: channel.id }, query: { force } };
        await api.DELETE("/api/v1/channels/{channel_id}/", { params });
      }}
      onClose={onClose}
      onDone={() => {
        refresh();
        tellDone("Removed", channel.name);
        onClose();
        onDone?.();
      }}
    >
      The channel goes. The music and the announcements in it stay where they are.
    </Remove>
  );
}
