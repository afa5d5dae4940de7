/** The icons of this program, drawn on a 24 by 24 grid; they are decoration, never a name. */

import type { ReactNode } from "react";

interface Props {
  size?: number;
}

function icon(path: ReactNode, filled = false) {
  return function Icon({ size = 22 }: Props) {
    return (
      <svg
        width={size}
        height={size}
        viewBox="0 0 24 24"
        fill={filled ? "currentColor" : "none"}
        stroke="currentColor"
        strokeWidth={filled ? 1.5 : 1.9}
        strokeLinecap="round"
        strokeLinejoin="round"
        aria-hidden="true"
        focusable="false"
      >
        {path}
      </svg>
    );
  };
}

export const PlayIcon = icon(<path d="M8 5.2v13.6L18.8 12z" />, true);
export const PauseIcon = icon(<path d="M7.2 5.5h2.6v13H7.2zM14.2 5.5h2.6v13h-2.6z" />, true);
export const NextIcon = icon(<path d="M6 6.5v11l8.5-5.5zM17 6.5h1.2v11H17z" />, true);
export const PreviousIcon = icon(<path d="M18 6.5v11L9.5 12zM5.8 6.5H7v11H5.8z" />, true);
export const MusicIcon = icon(
  <>
    <circle cx="7" cy="17.5" r="2.8" />
    <circle cx="17" cy="15.5" r="2.8" />
    <path d="M9.8 17.5V6.2l10-2v11.3" />
  </>,
);
export const VoiceIcon = icon(
  <>
    <path d="M4 10v4a1 1 0 0 0 1 1h3l9 4.5v-15L8 9H5a1 1 0 0 0-1 1z" />
    <path d="M8.5 15.5 10 20h2.4l-1-3.2M20 9.8a3.2 3.2 0 0 1 0 4.4" />
  </>,
);
export const VolumeIcon = icon(
  <path d="M4.5 9.5v5h3.2l5 4v-13l-5 4zM16.2 9a4.2 4.2 0 0 1 0 6M18.8 6.4a8 8 0 0 1 0 11.2" />,
);
export const MuteIcon = icon(<path d="M4.5 9.5v5h3.2l5 4v-13l-5 4zM16.5 9.5l5 5M21.5 9.5l-5 5" />);
export const SpeakerIcon = icon(
  <>
    <rect x="6" y="3.5" width="12" height="17" rx="2.5" />
    <circle cx="12" cy="14.2" r="3.2" />
    <path d="M12 7.4h.01" />
  </>,
);
export const SunIcon = icon(
  <>
    <circle cx="12" cy="12" r="3.8" />
    <path d="M12 3.2v1.6M12 19.2v1.6M3.2 12h1.6M19.2 12h1.6M5.8 5.8l1.1 1.1M17.1 17.1l1.1 1.1M5.8 18.2l1.1-1.1M17.1 6.9l1.1-1.1" />
  </>,
);
export const MoonIcon = icon(<path d="M19.5 14.2A8 8 0 0 1 9.8 4.5a8 8 0 1 0 9.7 9.7z" />);
export const PersonIcon = icon(
  <>
    <circle cx="12" cy="8.2" r="3.6" />
    <path d="M5 19.8a7.2 7.2 0 0 1 14 0" />
  </>,
);
export const WarnIcon = icon(<path d="M12 4 3 19.5h18zM12 10.2v4M12 16.9h.01" />);
export const CheckIcon = icon(<path d="m5 12.8 4.6 4.4L19 7.5" />);
export const FolderIcon = icon(
  <path d="M3.8 7.2a2 2 0 0 1 2-2h3.4l2 2.3h7a2 2 0 0 1 2 2v7.3a2 2 0 0 1-2 2H5.8a2 2 0 0 1-2-2z" />,
);

export const UpIcon = icon(<path d="m6 14.5 6-6 6 6" />);
export const DownIcon = icon(<path d="m6 9.5 6 6 6-6" />);
export const MicrophoneIcon = icon(
  <>
    <rect x="9" y="3.5" width="6" height="11" rx="3" />
    <path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v2.8" />
  </>,
);
export const MoreIcon = icon(
  <>
    <circle cx="5.5" cy="12" r="1.1" />
    <circle cx="12" cy="12" r="1.1" />
    <circle cx="18.5" cy="12" r="1.1" />
  </>,
  true,
);
export const StopIcon = icon(<path d="M7 7h10v10H7z" />, true);

export const AlarmIcon = icon(
  <path d="M6 18.5h12M7.5 18.5v-5a4.5 4.5 0 0 1 9 0v5M12 3.5v2M4.6 6.6 6 8M19.4 6.6 18 8M3.5 13h1.2M19.3 13h1.2" />,
);

export const TrashIcon = icon(
  <path d="M5 7h14M10 7V5h4v2M7 7l.8 12h8.4L17 7M10.3 10.5v5M13.7 10.5v5" />,
);
export const SmartIcon = icon(<path d="M4 6h16l-6.2 7v5.5l-3.6-2V13z" />);

/** The product's mark. */
export function Mark({ size = 32 }: Props) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="9" fill="#0b6e68" />
      <path
        d="M8 13.5v5M13.3 9v14M18.7 11.5v9M24 14.5v3"
        stroke="#fff"
        strokeWidth="2.6"
        strokeLinecap="round"
      />
    </svg>
  );
}
