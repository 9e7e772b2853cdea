import type { ReactNode } from 'react';
import { useEffect, useState } from 'react';

import type { IAsyncInvocation, IInvocation } from '../../api/client';
import { BottegaError } from '../../api/request';
import { asError } from '../../shared/asError';
import { Button, Code } from '../../shared/components/controls';
import { Failure } from '../../shared/components/states';
import { duration, latency } from '../../shared/format';
import { useNow } from '../../shared/hooks/useNow';
import type { IScreenProps } from '../../tokens';

/** So often it is looked whether an asynchronous answer is there. */
const LOOK_MS = 1000;

/** What became of a request. */
export type Answer =
  | { state: 'none' }
  | { state: 'waiting' }
  | { state: 'queued'; invocation: IAsyncInvocation; since: number }
  | { state: 'answered'; invocation: IInvocation }
  | { state: 'stored'; body: string; place: string; failed: boolean }
  | { state: 'refused'; error: Error };

/** The answer to a request, or how it stands with it. */
export function AnswerView(
  props: IScreenProps & {
    answer: Answer;
    onAnswer: (answer: Answer) => void;
  }
): JSX.Element {
  const { answer, trans } = props;
  switch (answer.state) {
    case 'answered': {
      const { invocation } = answer;
      return (
        <>
          <Good>
            {latency(invocation.seconds)} · {invocation.variant} ·{' '}
            {invocation.contentType}
          </Good>
          <Code
            code={readable(invocation)}
            label={trans.__('Response')}
            trans={trans}
          />
        </>
      );
    }
    case 'queued':
      return (
        <Queued
          {...props}
          invocation={answer.invocation}
          since={answer.since}
        />
      );
    case 'stored':
      return (
        <>
          {answer.failed ? (
            <p className="jp-BottegaDialog-problem" role="alert">
              {trans.__('The request failed. %1', answer.place)}
            </p>
          ) : (
            <>
              <Good>{trans.__('answered')}</Good>
              <p className="jp-BottegaTest-hint">{answer.place}</p>
            </>
          )}
          <Code
            code={readable({
              contentType: guessed(answer.body),
              body: answer.body
            })}
            label={trans.__('Response')}
            trans={trans}
          />
        </>
      );
    case 'refused':
      return (
        <Failure
          error={answer.error}
          trans={trans}
          what={
            answer.error instanceof BottegaError
              ? trans.__('The request was refused.')
              : trans.__('The request was not answered.')
          }
        />
      );
    default:
      return <></>;
  }
}

function Good(props: { children: ReactNode }): JSX.Element {
  return (
    <p>
      <span className="jp-BottegaStatus jp-mod-good">
        <span aria-hidden="true" className="jp-BottegaStatus-sign">
          ✓
        </span>
        {props.children}
      </span>
    </p>
  );
}

/** Waits for the object with the answer, for as long as the user likes. */
function Queued(
  props: IScreenProps & {
    invocation: IAsyncInvocation;
    since: number;
    onAnswer: (answer: Answer) => void;
  }
): JSX.Element {
  const { client, frame, invocation, since, trans, onAnswer } = props;
  const now = useNow(frame, true);
  const [looks, setLooks] = useState(0);
  useEffect(() => {
    let ended = false;
    const look = async (): Promise<void> => {
      const found = await stored(client, invocation);
      if (ended) {
        return;
      }
      if (found) {
        onAnswer(found);
      } else {
        setLooks(count => count + 1);
      }
    };
    const timer = setTimeout(
      () => {
        look().catch((error: unknown) => {
          if (!ended) {
            onAnswer({ state: 'refused', error: asError(error) });
          }
        });
      },
      looks === 0 ? 0 : LOOK_MS
    );
    return () => {
      ended = true;
      clearTimeout(timer);
    };
  }, [client, invocation, looks, onAnswer]);
  return (
    <div className="jp-BottegaTest-controls">
      <span>
        {trans.__(
          'Taken in; the answer will be %1. %2',
          invocation.output,
          duration(Math.max(0, now - since))
        )}
      </span>
      <Button onClick={() => onAnswer({ state: 'none' })}>
        {trans.__('Stop waiting')}
      </Button>
    </div>
  );
}

async function stored(
  client: IScreenProps['client'],
  { output, failure }: IAsyncInvocation
): Promise<Answer | null> {
  for (const [place, failed] of [
    [output, false],
    [failure, true]
  ] as const) {
    const body = place ? await client.readObject(place) : null;
    if (place && body !== null) {
      return { state: 'stored', body, place, failed };
    }
  }
  return null;
}

/** An object's own content type is lost on the way; JSON shows itself. */
function guessed(body: string): string {
  return /^\s*[[{]/.test(body) ? 'application/json' : 'text/plain';
}

/** JSON is set out in lines; everything else is shown as it came. */
export function readable(
  answer: Pick<IInvocation, 'contentType' | 'body'>
): string {
  if (answer.contentType.startsWith('application/json')) {
    try {
      return JSON.stringify(JSON.parse(answer.body), null, 2);
    } catch {
      return answer.body; // a model server may call anything JSON
    }
  }
  return answer.body;
}
