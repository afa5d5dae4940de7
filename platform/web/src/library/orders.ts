/** In what order tracks are shown. */

export const ORDERS = [
  { value: "title", label: "Title" },
  { value: "-title", label: "Title, backwards" },
  { value: "artist", label: "Artist" },
  { value: "album", label: "Album" },
  { value: "-created_at", label: "Newest first" },
  { value: "created_at", label: "Oldest first" },
  { value: "-play_count", label: "Most played" },
  { value: "play_count", label: "Least played" },
  { value: "duration_millis", label: "Shortest first" },
  { value: "-duration_millis", label: "Longest first" },
];
