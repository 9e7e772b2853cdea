import { useEffect, useRef } from 'react';

import type { IScreenProps } from '../../tokens';
import type { TrainModel } from './trainModel';

/** What a form is opened for: these data, another job's settings, a search. */
interface IIntent {
  file: string;
  uri: string;
  clone: string;
  /** Not empty where hyperparameters are to be searched. */
  tune: string;
}

const NONE: IIntent = { file: '', uri: '', clone: '', tune: '' };

/**
 * Fill the form with what its path names, and again whenever it is opened for something else.
 *
 * The path then names that alone, so that a reload leads back to it.
 */
export function useIntent(
  model: TrainModel,
  props: Pick<IScreenProps, 'parameters' | 'frame'>
): void {
  const { frame } = props;
  const { file = '', uri = '', clone = '', tune = '' } = props.parameters;
  const done = useRef<{ model: TrainModel; intent: IIntent } | null>(null);
  const ready = model.catalog !== null;
  useEffect(() => {
    if (!ready) {
      return;
    }
    const before = done.current?.model === model ? done.current.intent : NONE;
    const wanted = { file, uri, clone, tune };
    // What was there already belongs to the time before.
    const fresh: IIntent = {
      file: file === before.file ? '' : file,
      uri: uri === before.uri ? '' : uri,
      clone: clone === before.clone ? '' : clone,
      tune: tune === before.tune ? '' : tune
    };
    const isNew = Object.values(fresh).some(value => value !== '');
    done.current = { model, intent: isNew ? fresh : wanted };
    if (!isNew) {
      return;
    }
    frame.setParameters({ ...fresh });
    const take = (): void => {
      if (fresh.file) {
        model.setSource('train', { kind: 'file', path: fresh.file });
      } else if (fresh.uri) {
        model.setSource('train', { kind: 's3', uri: fresh.uri });
      }
      if (fresh.tune && !model.draft.search) {
        model.setSearch(true);
      }
    };
    if (fresh.clone) {
      void model.clone(fresh.clone).then(take);
    } else {
      take();
    }
  }, [model, ready, file, uri, clone, tune, frame]);
}
