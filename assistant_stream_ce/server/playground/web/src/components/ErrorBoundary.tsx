import { Component, type ReactNode } from "react";

type Props = { readonly children: ReactNode };
type State = { readonly error: Error | undefined };

/** Keeps one unforeseen message from leaving the reader with an empty page. */
export class ErrorBoundary extends Component<Props, State> {
  override state: State = { error: undefined };

  static getDerivedStateFromError(error: unknown): State {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render(): ReactNode {
    if (this.state.error === undefined) return this.props.children;
    return (
      <main className="chat chat-waiting">
        <div className="waiting-notice" role="alert">
          <h1>This thread cannot be shown</h1>
          <p>{this.state.error.message}</p>
          <a className="button" href="./">
            Start a new thread
          </a>
        </div>
      </main>
    );
  }
}
