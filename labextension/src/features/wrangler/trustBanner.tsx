import { Button } from '../../shared/components/controls';
import type { IPanelProps } from './model/types';

/** Asks once whether code that came with the flow may run. */
export function TrustBanner(props: IPanelProps): JSX.Element {
  const { model, trans } = props;
  if (model.trust !== 'asked' && model.trust !== 'refused') {
    return <></>;
  }
  const isAsked = model.trust === 'asked';
  return (
    <div
      className="jp-BottegaWrangler-trust"
      role={isAsked ? 'alert' : 'status'}
    >
      <span>
        {isAsked
          ? trans.__(
              'This flow contains code of its own. It runs on this machine with your rights, and only if you allow it.'
            )
          : trans.__('The code of this flow does not run.')}
      </span>
      <Button onClick={() => model.chooseTab('code')}>
        {trans.__('Show code')}
      </Button>
      <Button
        kind={isAsked ? 'primary' : 'plain'}
        onClick={() => void model.setTrusted(true)}
      >
        {trans.__('Let it run')}
      </Button>
      {isAsked && (
        <Button onClick={() => void model.setTrusted(false)}>
          {trans.__('Do not run it')}
        </Button>
      )}
    </div>
  );
}
