import jupyter from '@jupyter/eslint-plugin';
import prettier from 'eslint-config-prettier';
import hooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  {
    ignores: [
      'lib',
      'node_modules',
      'src/api/types',
      '*.config.js',
      '*.config.mjs',
      'jest.setup.js'
    ]
  },
  ...tseslint.configs.strict.map(config => ({
    ...config,
    files: ['src/**/*.{ts,tsx}']
  })),
  { plugins: { jupyter, 'react-hooks': hooks } },
  ...jupyter.configs.recommended,
  prettier,
  {
    files: ['src/**/*.{ts,tsx}'],
    rules: {
      ...hooks.configs.recommended.rules,
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/naming-convention': [
        'error',
        {
          selector: 'interface',
          format: ['PascalCase'],
          custom: { regex: '^I[A-Z]', match: true }
        }
      ],
      '@typescript-eslint/no-explicit-any': 'error',
      'no-console': 'error',
      curly: 'error',
      eqeqeq: 'error'
    }
  },
  {
    files: ['**/__tests__/**', 'src/testing/**'],
    rules: { 'jupyter/no-untranslated-string': 'off' }
  }
);
