"""The kinds of errors and ends of a Strands agent: the keys of `AGENT_ERRORS` in src/agent/constants.ts."""

RATE_LIMITED = "RATE_LIMITED"
NOT_LOGGED_IN = "NOT_LOGGED_IN"
MODEL_NOT_ALLOWED = "MODEL_NOT_ALLOWED"
CONTEXT_FULL = "CONTEXT_FULL"
MAX_TURNS = "MAX_TURNS"
REFUSED = "REFUSED"
UNAVAILABLE = "UNAVAILABLE"
FAILED = "FAILED"

# Exceptions by the name of their class: those of Strands, of botocore, and of the clients of other providers, which need not be installed.
KINDS_BY_CLASS = {
    "ModelThrottledException": RATE_LIMITED,
    "RateLimitError": RATE_LIMITED,
    "ContextWindowOverflowException": CONTEXT_FULL,
    "MaxTokensReachedException": MAX_TURNS,
    "NoCredentialsError": NOT_LOGGED_IN,
    "PartialCredentialsError": NOT_LOGGED_IN,
    "CredentialRetrievalError": NOT_LOGGED_IN,
    "TokenRetrievalError": NOT_LOGGED_IN,
    "NoAuthTokenError": NOT_LOGGED_IN,
    "SSOTokenLoadError": NOT_LOGGED_IN,
    "UnauthorizedSSOTokenError": NOT_LOGGED_IN,
    "ProfileNotFound": NOT_LOGGED_IN,
    "AuthenticationError": NOT_LOGGED_IN,
    "PermissionDeniedError": MODEL_NOT_ALLOWED,
    "NotFoundError": MODEL_NOT_ALLOWED,
    "EndpointConnectionError": UNAVAILABLE,
    "ConnectTimeoutError": UNAVAILABLE,
    "ReadTimeoutError": UNAVAILABLE,
    "ConnectionClosedError": UNAVAILABLE,
    "ProxyConnectionError": UNAVAILABLE,
    "ResponseStreamingError": UNAVAILABLE,
    "ProtocolError": UNAVAILABLE,
    "SSLError": UNAVAILABLE,
    "APIConnectionError": UNAVAILABLE,
    "APITimeoutError": UNAVAILABLE,
    "InternalServerError": UNAVAILABLE,
    "ServiceUnavailableError": UNAVAILABLE,
}

# Errors of AWS by their code, in lower case: in an event stream, codes begin with a small letter.
KINDS_BY_CODE = {
    "throttlingexception": RATE_LIMITED,
    "toomanyrequestsexception": RATE_LIMITED,
    "servicequotaexceededexception": RATE_LIMITED,
    "unrecognizedclientexception": NOT_LOGGED_IN,
    "invalidclienttokenid": NOT_LOGGED_IN,
    "invalidsignatureexception": NOT_LOGGED_IN,
    "signaturedoesnotmatch": NOT_LOGGED_IN,
    "missingauthenticationtokenexception": NOT_LOGGED_IN,
    "incompletesignatureexception": NOT_LOGGED_IN,
    "expiredtokenexception": NOT_LOGGED_IN,
    "expiredtoken": NOT_LOGGED_IN,
    "accessdeniedexception": MODEL_NOT_ALLOWED,
    "resourcenotfoundexception": MODEL_NOT_ALLOWED,
    "internalserverexception": UNAVAILABLE,
    "serviceunavailableexception": UNAVAILABLE,
    "modeltimeoutexception": UNAVAILABLE,
    "modelnotreadyexception": UNAVAILABLE,
    "modelerrorexception": UNAVAILABLE,
    "modelstreamerrorexception": UNAVAILABLE,
}

# What Bedrock says about a model in a ValidationException, which has no code of its own.
MODEL_MESSAGES = (
    "model identifier is invalid",
    "on-demand throughput",
    "model is not supported",
    "doesn't support the model",
    "end of its life",
)

ENDS = {
    "limit_turns": (MAX_TURNS, "the agent reached its maximum number of model calls"),
    "limit_total_tokens": (MAX_TURNS, "the agent reached its limit of tokens"),
    "limit_output_tokens": (MAX_TURNS, "the agent reached its limit of output tokens"),
    "max_tokens": (MAX_TURNS, "an answer of the model reached max_tokens of the model in agent.py"),
    "content_filtered": (REFUSED, "the content filter of the model stopped the answer"),
    "guardrail_intervened": (REFUSED, "a guardrail stopped the answer"),
    "refusal": (REFUSED, "the model refused the task"),
    "model_context_window_exceeded": (CONTEXT_FULL, "the conversation is longer than the context window of the model"),
    "interrupt": (FAILED, "the agent was interrupted to ask a person, which an unattended run cannot do: remove the interrupt from agent.py"),
}


class WrongAgent(Exception):
    """A fault of the user's directory. The message says what to change."""


def kind_of(error):
    """Returns the kind of an error, by the first of its causes that has one."""
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        response = getattr(error, "response", None)
        if isinstance(response, dict) and "Error" in response:
            code = str(response["Error"].get("Code", "")).lower()
            if code in KINDS_BY_CODE:
                return KINDS_BY_CODE[code]
            if any(text in str(error) for text in MODEL_MESSAGES):
                return MODEL_NOT_ALLOWED
            if response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
                return UNAVAILABLE
        for ancestor in type(error).__mro__:
            if ancestor.__name__ in KINDS_BY_CLASS:
                return KINDS_BY_CLASS[ancestor.__name__]
        error = getattr(error, "original_exception", None) or error.__cause__ or error.__context__
    return FAILED
