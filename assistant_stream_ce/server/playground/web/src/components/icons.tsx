import type { ReactNode } from "react";

const icon = (children: ReactNode) => () => (
  <svg
    className="icon"
    viewBox="0 0 24 24"
    fill="none"
    stroke="currentColor"
    strokeWidth="1.75"
    strokeLinecap="round"
    strokeLinejoin="round"
    aria-hidden="true"
  >
    {children}
  </svg>
);

export const PlusIcon = icon(<path d="M12 5v14M5 12h14" />);
export const SunIcon = icon(
  <>
    <circle cx="12" cy="12" r="4" />
    <path d="M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4" />
  </>,
);
export const MoonIcon = icon(<path d="M20 14.2A8.2 8.2 0 0 1 9.8 4a8.2 8.2 0 1 0 10.2 10.2Z" />);
export const PanelIcon = icon(
  <>
    <rect x="3.5" y="4.5" width="17" height="15" rx="3" />
    <path d="M14.5 4.5v15" />
  </>,
);
export const SendIcon = icon(<path d="M12 19V5.5M6 11.5l6-6 6 6" />);
export const StopIcon = icon(
  <rect x="7" y="7" width="10" height="10" rx="2" fill="currentColor" stroke="none" />,
);
export const DownIcon = icon(<path d="M12 5v13.5M6 12.5l6 6 6-6" />);
export const ChevronIcon = icon(<path d="m7 10 5 5 5-5" />);
export const CheckIcon = icon(<path d="m5.5 12.5 4.5 4.5 8.5-9.5" />);
export const CrossIcon = icon(<path d="m6.5 6.5 11 11M17.5 6.5l-11 11" />);
export const CopyIcon = icon(
  <>
    <rect x="8.5" y="8.5" width="11" height="11" rx="2.5" />
    <path d="M15.5 8.5V7A2.5 2.5 0 0 0 13 4.5H7A2.5 2.5 0 0 0 4.5 7v6A2.5 2.5 0 0 0 7 15.5h1.5" />
  </>,
);
export const PauseIcon = icon(<path d="M9 6.5v11M15 6.5v11" />);
export const DashIcon = icon(<path d="M7 12h10" />);
export const AlertIcon = icon(
  <>
    <circle cx="12" cy="12" r="8.5" />
    <path d="M12 8v4.5M12 15.9v.1" />
  </>,
);
export const FileIcon = icon(
  <>
    <path d="M13.5 3.5h-6A1.5 1.5 0 0 0 6 5v14a1.5 1.5 0 0 0 1.5 1.5h9A1.5 1.5 0 0 0 18 19V8Z" />
    <path d="M13.5 3.5V8H18" />
  </>,
);
export const SidebarIcon = icon(
  <>
    <rect x="3.5" y="4.5" width="17" height="15" rx="3" />
    <path d="M9.5 4.5v15" />
  </>,
);
export const TrashIcon = icon(
  <path d="M4.5 7h15M9.5 7V5.2A1.2 1.2 0 0 1 10.7 4h2.6a1.2 1.2 0 0 1 1.2 1.2V7m2.8 0-.7 11.2a1.8 1.8 0 0 1-1.8 1.8H9.2a1.8 1.8 0 0 1-1.8-1.8L6.7 7" />,
);
export const HelpIcon = icon(
  <>
    <rect x="3" y="6.5" width="18" height="11.5" rx="2.5" />
    <path d="M7 10.2v.1M11 10.2v.1M15 10.2v.1M18 10.2v.1M8.5 14.5h7" />
  </>,
);
export const PaperclipIcon = icon(
  <path d="m19 11.5-7.3 7.3a4.6 4.6 0 0 1-6.5-6.5l7.7-7.7a3.1 3.1 0 0 1 4.4 4.4l-7.6 7.6a1.5 1.5 0 0 1-2.2-2.2l6.9-6.8" />,
);
export const PencilIcon = icon(<path d="m14 6.5 3.5 3.5M5 19l.8-3.8L16 5a1.8 1.8 0 0 1 2.6 0l.4.4a1.8 1.8 0 0 1 0 2.6L8.8 18.2Z" />);
export const AgainIcon = icon(
  <>
    <path d="M19 12a7 7 0 1 1-2.1-5" />
    <path d="M19.5 3.5v4h-4" />
  </>,
);
export const BackIcon = icon(<path d="m14 7-5 5 5 5" />);
export const ForwardIcon = icon(<path d="m10 7 5 5-5 5" />);
