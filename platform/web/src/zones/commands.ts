/** What a person can tell a zone to do; each answer's new state is shown at once. */

import { useMutation } from "@tanstack/react-query";
import { api, body } from "../api/client";
import type { ZoneView } from "../api/types";
import { useLive } from "../live/context";
import { tellProblem } from "../ui/notify";

export type Command =
  | { readonly verb: "pause" | "resume" | "next" | "previous" }
  | { readonly verb: "volume"; readonly volume: number; readonly mute?: boolean }
  | { readonly verb: "play"; readonly folder: string; readonly shuffle: boolean; readonly until: string | null }
  | { readonly verb: "channel"; readonly channel: string; readonly until: string | null }
  | { readonly verb: "shuffle"; readonly shuffle: boolean }
  | { readonly verb: "stop"; readonly until: string | null }
  | { readonly verb: "schedule" | "clear" }
  | { readonly verb: "cancel"; readonly event: string };

const FAILED: Record<Command["verb"], string> = {
  pause: "The pause did not work",
  resume: "The music did not start",
  next: "The next track did not start",
  previous: "The previous track did not start",
  volume: "The volume did not change",
  play: "The music did not start",
  channel: "The channel did not start",
  cancel: "The announcement was not stopped",
  clear: "The announcements were not stopped",
  shuffle: "The order did not change",
  stop: "It did not fall silent",
  schedule: "It did not go back to the schedule",
};

async function send(zone_id: string, command: Command): Promise<readonly ZoneView[]> {
  switch (command.verb) {
    case "pause":
      return body(await api.POST("/api/v1/playback/pause/", { body: { zone_id } })).results;
    case "resume":
      return body(await api.POST("/api/v1/playback/resume/", { body: { zone_id } })).results;
    case "next":
      return body(await api.POST("/api/v1/playback/next/", { body: { zone_id } })).results;
    case "previous":
      return body(await api.POST("/api/v1/playback/previous/", { body: { zone_id } })).results;
    case "volume": {
      const { volume, mute } = command;
      const change = mute === undefined ? { zone_id, volume } : { zone_id, volume, mute };
      return body(await api.POST("/api/v1/playback/volume/", { body: change })).results;
    }
    case "play": {
      const { folder: folder_id, shuffle, until } = command;
      const order = { zone_id, folder_id, shuffle, until };
      return body(await api.POST("/api/v1/playback/play/", { body: order })).results;
    }
    case "channel": {
      const order = { zone_id, channel_id: command.channel, until: command.until };
      return body(await api.POST("/api/v1/playback/channel/", { body: order })).results;
    }
    case "shuffle": {
      const order = { zone_id, shuffle: command.shuffle };
      return body(await api.POST("/api/v1/playback/shuffle/", { body: order })).results;
    }
    case "stop": {
      const order = { zone_id, until: command.until };
      return body(await api.POST("/api/v1/playback/stop/", { body: order })).results;
    }
    case "schedule":
      return body(await api.POST("/api/v1/playback/schedule/", { body: { zone_id } })).results;
    case "clear":
      return body(await api.POST("/api/v1/playback/queue/clear/", { body: { zone_id } })).results;
    case "cancel": {
      const order = { zone_id, event_id: command.event };
      return body(await api.POST("/api/v1/playback/cancel/", { body: order })).results;
    }
  }
}

/** Sends commands to one zone. A refusal is told in a note that names the zone. */
export function useCommand(zone: ZoneView) {
  const live = useLive();
  return useMutation({
    mutationFn: (command: Command) => send(zone.zone_id, command),
    onSuccess: (views) => {
      for (const view of views) live.apply(view);
    },
    onError: (error, command) => tellProblem(`${FAILED[command.verb]}: ${zone.name}`, error),
  });
}
