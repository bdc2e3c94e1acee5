import { describe, expect, it } from 'vitest';
import { formatPrompt, type PromptTemplate } from '../../src/data/prompt.ts';

const history = [
  { question: 'who?', answer: 'a man' },
  { question: 'where?', answer: 'here' },
];

describe('formatPrompt', () => {
  it('leaves the query of base as it is, and drops its history', () => {
    expect(formatPrompt('base', 'a photo of', history)).toBe('a photo of');
    expect(formatPrompt('base', '')).toBe('');
  });

  it('writes chat', () => {
    expect(formatPrompt('chat', 'why?')).toBe('Question: why? Answer:');
    expect(formatPrompt('chat', 'why?', history)).toBe(
      'Question: who? Answer: a man\nQuestion: where? Answer: here\nQuestion: why? Answer:',
    );
  });

  it('writes vqa, with its history', () => {
    expect(formatPrompt('vqa', 'why?', history)).toBe(
      'Question: who? Short answer: a man\nQuestion: where? Short answer: here\nQuestion: why? Short answer:',
    );
  });

  it('refuses other templates', () => {
    expect(() => formatPrompt('chat_old' as PromptTemplate, 'why?')).toThrow(
      'formatPrompt: template is "chat_old", expected base, chat, vqa',
    );
  });
});
