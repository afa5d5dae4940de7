/** The API's bodies by the names that this program uses. */

import type { components } from "./schema";

type Schemas = components["schemas"];

export type ZoneView = Schemas["ZoneView"];
export type Segment = Schemas["SegmentOut"];
export type Folder = Schemas["FolderOut"];
export type SignedIn = Schemas["LoginOut"];
export type Me = Schemas["MeOut"];
export type Said = Schemas["PlaysOut"];
export type Member = Schemas["MemberOut"];
export type Invitation = Schemas["InvitationOut"];
export type Role = Schemas["RoleOut"];
export type Token = Schemas["TokenOut"];
export type SignIn = Schemas["SessionOut"];
export type Entry = Schemas["EntryOut"];
export type Track = Schemas["TrackOut"];
export type TrackChange = Schemas["TrackPatch"];
export type Rules = Schemas["Rules-Input"];
export type Playlist = Schemas["PlaylistOut"];
export type Sent = Schemas["UploadOut"];
export type Announcement = Schemas["AnnouncementOut"];
export type Voice = Schemas["VoiceOut"];
export type Archive = Schemas["ExportOut"];
export type Client = Schemas["sync2gear_platform__admin__schemas__ClientOut"];
export type Template = Schemas["TemplateOut"];
export type PlayTree = Schemas["PlayTree"];
export type SpeakerReceipt = Schemas["SpeakerReceipt"];
export type Provider = Schemas["ProviderOut"];
export type UsageLine = Schemas["UsageLineOut"];
export type SpeechDefaults = Schemas["DefaultsOut"];
export type Variant = Schemas["VariantOut"];
export type Pronunciation = Schemas["PronunciationOut"];
