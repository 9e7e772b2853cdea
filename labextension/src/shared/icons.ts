import { LabIcon } from '@jupyterlab/ui-components';

import bottegaSvg from '../../style/icons/bottega.svg';
import endpointSvg from '../../style/icons/endpoint.svg';
import experimentSvg from '../../style/icons/experiment.svg';
import flowSvg from '../../style/icons/flow.svg';
import jobSvg from '../../style/icons/job.svg';
import modelSvg from '../../style/icons/model.svg';
import tuningSvg from '../../style/icons/tuning.svg';

export const bottegaIcon = new LabIcon({
  name: 'bottega:bottega',
  svgstr: bottegaSvg
});

export const jobIcon = new LabIcon({ name: 'bottega:job', svgstr: jobSvg });

export const flowIcon = new LabIcon({ name: 'bottega:flow', svgstr: flowSvg });

export const experimentIcon = new LabIcon({
  name: 'bottega:experiment',
  svgstr: experimentSvg
});

export const endpointIcon = new LabIcon({
  name: 'bottega:endpoint',
  svgstr: endpointSvg
});

export const modelIcon = new LabIcon({
  name: 'bottega:model',
  svgstr: modelSvg
});

export const tuningIcon = new LabIcon({
  name: 'bottega:tuning',
  svgstr: tuningSvg
});
