/// <reference lib="dom" />
import { useEffect, useState } from 'react';

type Theme = 'light' | 'dark';

const KEY = 'theme';

/** What the person chose here, else what their system prefers. */
export function useTheme(): { theme: Theme; toggle: () => void } {
  const [chosen, setChosen] = useState(localStorage.getItem(KEY));
  const [isDark, setDark] = useState(matchMedia('(prefers-color-scheme: dark)').matches);
  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)');
    const follow = (): void => {
      setDark(query.matches);
    };
    query.addEventListener('change', follow);
    return () => {
      query.removeEventListener('change', follow);
    };
  }, []);
  const system: Theme = isDark ? 'dark' : 'light';
  const theme: Theme = chosen === 'dark' || chosen === 'light' ? chosen : system;
  useEffect(() => {
    document.documentElement.dataset['theme'] = theme;
  }, [theme]);
  const toggle = (): void => {
    const next = theme === 'dark' ? 'light' : 'dark';
    localStorage.setItem(KEY, next);
    setChosen(next);
  };
  return { theme, toggle };
}
