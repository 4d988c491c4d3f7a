//! DynamoDB expressions: lexer, parser, evaluator; pure.
