import { useSignal } from '../../../shared/hooks/useSignal';
import type { IScreenProps } from '../../../tokens';

const STRONGEST = 0.99;

/** How smooth curves are: as chosen on this screen, else as the settings say. */
export function useSmoothing(
  props: Pick<IScreenProps, 'parameters' | 'studio'>
): number {
  const { parameters, studio } = props;
  useSignal(studio.settingsChanged);
  const chosen = Number(parameters['smooth'] ?? NaN);
  return chosen >= 0 && chosen <= STRONGEST
    ? chosen
    : studio.settings.smoothing;
}

/** The slider of the smoothing. */
export function Smoothing(
  props: Pick<IScreenProps, 'parameters' | 'studio' | 'frame' | 'trans'>
): JSX.Element {
  const smoothing = useSmoothing(props);
  return (
    <label className="jp-BottegaExperiment-choice">
      <span>{props.trans.__('Smoothing')}</span>
      <input
        type="range"
        min={0}
        max={STRONGEST}
        step={0.01}
        value={smoothing}
        onChange={event =>
          props.frame.setParameters({ smooth: event.target.value })
        }
      />
      <output>{smoothing.toFixed(2)}</output>
    </label>
  );
}
