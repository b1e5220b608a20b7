import { useTheme } from "../hooks";
import { HelpIcon, MoonIcon, PanelIcon, PlusIcon, SidebarIcon, SunIcon } from "./icons";

export const BrandMark = () => (
  <svg className="brand-mark" viewBox="0 0 24 24" aria-hidden="true">
    <rect width="24" height="24" rx="7" />
    <path d="M6 9.5h8M6 14.5h12" />
  </svg>
);

type Props = {
  readonly title: string | undefined;
  /** Left out where the list of threads offers it. */
  readonly onNewThread: (() => void) | undefined;
  readonly onShowList: (() => void) | undefined;
  readonly onShowHelp: () => void;
  readonly panel: { readonly isOpen: boolean; readonly onToggle: () => void } | undefined;
};

export const Header = ({ title, onNewThread, onShowList, onShowHelp, panel }: Props) => {
  const { isDark, toggle } = useTheme();
  return (
    <header className="header">
      <div className="brand">
        {onShowList !== undefined ? (
          <button
            type="button"
            className="icon-button"
            aria-label="Show the list of threads"
            title="Threads (Ctrl Shift L)"
            onClick={onShowList}
          >
            <SidebarIcon />
          </button>
        ) : (
          onNewThread !== undefined && <BrandMark />
        )}
        <span className="brand-name header-title">{title || "Assistant"}</span>
      </div>
      <div className="header-actions">
        {onNewThread !== undefined && (
          <button type="button" className="button button-quiet" onClick={onNewThread}>
            <PlusIcon />
            <span>New thread</span>
          </button>
        )}
        <button
          type="button"
          className="icon-button header-help"
          aria-label="Show the keys"
          title="Keys (?)"
          onClick={onShowHelp}
        >
          <HelpIcon />
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
        {panel !== undefined && (
          <button
            type="button"
            className="icon-button"
            aria-label="Show the state of the graph"
            title="State and wire (Ctrl Shift E)"
            aria-pressed={panel.isOpen}
            onClick={panel.onToggle}
          >
            <PanelIcon />
          </button>
        )}
      </div>
    </header>
  );
};
