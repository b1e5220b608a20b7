import { useTheme } from "../hooks";
import { MoonIcon, PanelIcon, PlusIcon, SunIcon } from "./icons";

type Props = {
  readonly onNewThread: () => void;
  readonly isPanelOpen?: boolean;
  readonly onTogglePanel?: () => void;
};

export const Header = ({ onNewThread, isPanelOpen, onTogglePanel }: Props) => {
  const { isDark, toggle } = useTheme();
  return (
    <header className="header">
      <div className="brand">
        <svg className="brand-mark" viewBox="0 0 24 24" aria-hidden="true">
          <rect width="24" height="24" rx="7" />
          <path d="M6 9.5h8M6 14.5h12" />
        </svg>
        <span className="brand-name">Assistant</span>
      </div>
      <div className="header-actions">
        <button type="button" className="button button-quiet" onClick={onNewThread}>
          <PlusIcon />
          <span>New thread</span>
        </button>
        <button
          type="button"
          className="icon-button"
          aria-label={isDark ? "Use the light theme" : "Use the dark theme"}
          title={isDark ? "Light theme" : "Dark theme"}
          onClick={toggle}
        >
          {isDark ? <SunIcon /> : <MoonIcon />}
        </button>
        {onTogglePanel !== undefined && (
          <button
            type="button"
            className="icon-button"
            aria-label="Show the state of the graph"
            title="State"
            aria-pressed={isPanelOpen}
            onClick={onTogglePanel}
          >
            <PanelIcon />
          </button>
        )}
      </div>
    </header>
  );
};
