import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactNode } from 'react';

import type { IListTransformsResponse } from '../../../api/types/wrangler';
import { Loadable } from '../../../shared/components/states';
import type { IWranglerModel } from '../model/types';
import { useLoaded } from './useLoaded';

/** What there is of transforms and analyses, with the states of reading it. */
export function WithCatalogue(props: {
  model: IWranglerModel;
  trans: TranslationBundle;
  children: (catalogue: IListTransformsResponse) => ReactNode;
}): JSX.Element {
  const { model, trans } = props;
  const catalogue = useLoaded(() => model.transforms(), [model]);
  return (
    <Loadable
      live={catalogue}
      trans={trans}
      what={trans.__('The transforms and analyses cannot be listed.')}
    >
      {props.children}
    </Loadable>
  );
}
