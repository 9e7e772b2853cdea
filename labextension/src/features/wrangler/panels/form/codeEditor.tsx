import type { CompletionSource } from '@codemirror/autocomplete';
import type { TranslationBundle } from '@jupyterlab/translation';
import { useEffect, useRef, useState } from 'react';

import { Failure, Skeleton } from '../../../../shared/components/states';
import type { CodeLanguage, ICodeView } from './codeMirror';

interface ICodeEditorProps {
  value: string;
  language: CodeLanguage;
  /** What it holds, for those who cannot see it. */
  label: string;
  describedBy?: string | undefined;
  trans: TranslationBundle;
  /** Absent where the code is only read. */
  onChange?: (value: string) => void;
  /** One line only: Enter is left to the form. */
  singleLine?: boolean;
  /** What is offered while typing. */
  complete?: CompletionSource;
}

/** CodeMirror in JupyterLab's colours, fetched when the first editor is shown. */
export function CodeEditor(props: ICodeEditorProps): JSX.Element {
  const { value, language, trans } = props;
  const parent = useRef<HTMLDivElement>(null);
  const view = useRef<ICodeView | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const [ready, setReady] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const [attempt, setAttempt] = useState(0);

  useEffect(() => {
    let ended = false;
    setError(null);
    const make = async (): Promise<void> => {
      const { createCodeView } = await import('./codeMirror');
      if (ended || !parent.current) {
        return;
      }
      const { onChange, complete, singleLine } = latest.current;
      view.current = createCodeView({
        parent: parent.current,
        value: latest.current.value,
        language,
        label: latest.current.label,
        describedBy: latest.current.describedBy,
        readOnly: onChange === undefined,
        singleLine: singleLine ?? false,
        onChange: text => latest.current.onChange?.(text),
        complete:
          complete && (context => latest.current.complete?.(context) ?? null)
      });
      setReady(true);
    };
    make().catch((reason: unknown) => {
      if (!ended) {
        setError(reason instanceof Error ? reason : new Error(String(reason)));
      }
    });
    return () => {
      ended = true;
      view.current?.destroy();
      view.current = null;
      setReady(false);
    };
  }, [language, attempt]);

  useEffect(() => {
    view.current?.setValue(value);
  }, [value, ready]);

  return (
    <div
      className="jp-BottegaCodeEditor"
      data-ready={ready}
      data-language={language}
    >
      {error && (
        <Failure
          error={error}
          trans={trans}
          what={trans.__('The editor cannot be loaded.')}
          retry={() => setAttempt(attempt + 1)}
        />
      )}
      {!ready && !error && <Skeleton trans={trans} rows={3} />}
      <div ref={parent} />
    </div>
  );
}
