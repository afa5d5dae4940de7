/** Which page about schedules an address is. */

import { ChannelPage } from "../channels/ChannelPage";
import { ChannelsPage } from "../channels/ChannelsPage";
import { SchedulesPage } from "./SchedulesPage";

/** `/schedules` and everything below it. */
export function Pages({ path }: { path: string }) {
  const [, , page = "", id = ""] = path.split("/");
  if (page === "channels") return id ? <ChannelPage key={id} id={id} /> : <ChannelsPage />;
  return <SchedulesPage />;
}
