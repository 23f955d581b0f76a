/**
 * A rule of textlint: constructions that read as translated, with what a native reader expects instead. Code is not looked at.
 *
 * A word belongs here if it has been corrected twice. Run by `npx projen prose`, for the pages in Markdown; ESLint's
 * `jsdoc/match-description` checks how docstrings begin.
 */
const CONSTRUCTIONS = [
  [/\bgiv(?:es?|ing) (?:\S+ ){1,3}free\b/, '"releases …"'],
  [/\b(?:at|in|from|since) the begin\b|\bthe begin of\b/, '"when … starts", or "the beginning of"'],
  [/\b(?:does|do|did) not get on\b/, '"is stuck"'],
  [/\b(?:allow|permit|forbid)s? to\b/, '"grants permission to …", or name who may'],
  [/\bwhat becomes? of\b/i, '"what happens to"'],
  [/\bfor what (?:must|is|has|was)\b/i, 'name the thing'],
  [/\bgo(?:es)? on (?:with|in|from|where|there)\b/, '"continues …"'],
  [/\bbegun\b/, '"started"'],
  [/\b(?:is|are|was|were) there already\b/, '"already exists"'],
  [/\b(?:is|are) asked of\b/, 'name who asks: "the driver asks …"'],
  [/\bthe one who\b/i, '"the user who"'],
  [/\bone's own\b/, '"your own"'],
  [/\bwithout a word\b/, '"silently"'],
  [/\bat the most\b/, '"at most"'],
  [/\bin vain\b/, '"without success"'],
  [/\b(?:can(?:not)?|could(?: not)?) be had\b/, '"is available"'],
  [/\bunder way\b/, '"in progress"'],
  [/\b(?:is|are|was|be) at work\b/, '"is running", or "is using …"'],
  [/\bany more\b/, '"no longer"'],
  [/\bnone of (?:its|their) business\b/, '"ignored"'],
  [/\bis told from\b/, '"can be told from", or "differs from"'],
  [/\bcomes? in its place\b/, '"replaces it"'],
  [/\bas it is long\b|\bhow it is called\b/i, '"its name"'],
  [/(?:^|[.;] )(?:Of (?:a|an|the|what|all|one)|Whether|Who (?!\w+s? \?)) /, 'a subject and a verb: no sentence begins elliptically'],
];

module.exports = (context) => {
  const { Syntax, RuleError, report, getSource } = context;
  return {
    [Syntax.Str](node) {
      const text = getSource(node).replace(/\n/g, ' ');
      for (const [pattern, better] of CONSTRUCTIONS) {
        const match = pattern.exec(text);
        if (match) report(node, new RuleError(`"${match[0].trim()}" reads as translated; write ${better}`, { index: match.index }));
      }
    },
  };
};
