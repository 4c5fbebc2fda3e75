"""Settings, read once from the environment (and a `.env` file). Every variable is described in `.env.example`."""

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import structlog
from corsheaders.defaults import default_headers
from csp.constants import NONCE, NONE, SELF
from whitenoise.compress import Compressor

from housevalue.embedded.ports import remembered_ports
from housevalue.environment import Environment

BASE_DIR = Path(__file__).resolve().parent.parent

env = Environment()
if (BASE_DIR / ".env").exists():
    Environment.read_env(BASE_DIR / ".env")

DEBUG = env.bool("DEBUG", default=False)
VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var"))).resolve()

INSECURE_KEY = "insecure-key-for-one-machine-only-set-SECRET_KEY-before-you-deploy"
# `make run` keeps a key and the ports of its own Kafka and Redis in the state folder: `manage.py` finds the same there.
_KEPT_KEY = VAR_DIR / "secret_key"
_PORTS = remembered_ports(VAR_DIR)
SECRET_KEY = env.str("SECRET_KEY", default=_KEPT_KEY.read_text() if _KEPT_KEY.exists() else INSECURE_KEY)
SECRET_KEY_FALLBACKS = env.texts("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.texts("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.texts("CSRF_TRUSTED_ORIGINS", default=[])

# -- applications ------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "daphne",
    "housevalue.apps.HousevalueConfig",
    "streaming.apps.StreamingConfig",
    "predictions.apps.PredictionsConfig",
    "mlmodel.apps.MlmodelConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "channels",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "simple_history",
    "axes",
    "csp",
    "corsheaders",
]

MIDDLEWARE = [
    "housevalue.middleware.SecurityMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "housevalue.middleware.CSPMiddleware",
    "housevalue.middleware.SessionMiddleware",
    "housevalue.middleware.CommonMiddleware",
    "housevalue.middleware.CsrfViewMiddleware",
    "housevalue.middleware.AuthenticationMiddleware",
    "housevalue.middleware.MessageMiddleware",
    "housevalue.middleware.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "housevalue.urls"
ASGI_APPLICATION = "housevalue.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "predictions.chosen_units.in_templates",
            ]
        },
    }
]

# -- database ----------------------------------------------------------------------------------------------------
DATABASE_URL = env.address(
    "DATABASE_URL", "sqlite", "postgres", "postgresql", default=f"sqlite:///{VAR_DIR / 'housevalue.sqlite3'}"
)
DATABASES = {"default": env.db_url_config(DATABASE_URL)}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # WAL alone still answers "database is locked" to a transaction that reads before it writes; IMMEDIATE does not.
    # synchronous=NORMAL survives a killed process; a power cut may lose the questions of the last moments, published
    # or not: no row, no answer. SQLITE_SYNCHRONOUS=FULL closes that gap for 1.6 ms more per commit.
    DATABASES["default"].setdefault("OPTIONS", {}).update(
        {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL;"
            f"PRAGMA synchronous={env.one_of('SQLITE_SYNCHRONOUS', 'NORMAL', 'FULL', 'EXTRA', 'OFF')};",
        }
    )
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}
# Threads of one web process that keep a connection for the busy async views. SQLite has one writer anyway.
DATABASE_THREADS = env.positive("DATABASE_THREADS", default=4)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- Redis: channel layer, cache and doorbell on one database, Celery on the next ----------------------------------
REDIS_URL = env.address("REDIS_URL", "redis", "rediss", default=f"redis://127.0.0.1:{_PORTS['valkey']}/0")


def _redis_database(url: str, number: int) -> str:
    """The same Redis, another of its numbered databases."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{number}"))


CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "housevalue"},
    }
}
CACHES = {
    "default": {
        "BACKEND": "housevalue.cache.ForgivingRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "housevalue",
        "OPTIONS": {"socket_timeout": 0.5, "socket_connect_timeout": 0.5},
    }
}

# -- Kafka ---------------------------------------------------------------------------------------------------------
KAFKA_BOOTSTRAP_SERVERS = env.str("KAFKA_BOOTSTRAP_SERVERS", default=f"127.0.0.1:{_PORTS['kafka']}")
# More librdkafka properties for every client, as JSON: {"security.protocol": "SASL_SSL", "sasl.username": "..."}
KAFKA_CLIENT_PROPERTIES = env.mapping("KAFKA_CLIENT_PROPERTIES", default={})
KAFKA_PARTITIONS = env.positive("KAFKA_PARTITIONS", default=6)
KAFKA_REPLICATION_FACTOR = env.positive("KAFKA_REPLICATION_FACTOR", default=1)
KAFKA_RETENTION_HOURS = env.positive("KAFKA_RETENTION_HOURS", default=168)
# Addresses of Redpanda's Admin API, where the broker is Redpanda and runs the transforms itself; tried in this order.
REDPANDA_ADMIN_URL = env.texts("REDPANDA_ADMIN_URL", default=[])
REDPANDA_ADMIN_USER = env.str("REDPANDA_ADMIN_USER", default="")
REDPANDA_ADMIN_PASSWORD = env.str("REDPANDA_ADMIN_PASSWORD", default="")
# PEM text of the authority that signed the Admin API's certificate (or its file, by REDPANDA_ADMIN_CA_FILE); the
# system's authorities when empty.
REDPANDA_ADMIN_CA = env.str("REDPANDA_ADMIN_CA", default="")
# Set: the publisher hands its requests to Redpanda Connect, which writes them to the log.
CONNECT_INGRESS_URL = env.str("CONNECT_INGRESS_URL", default="")
CONNECT_INGRESS_TOKEN = env.str("CONNECT_INGRESS_TOKEN", default="")
SCORING_BATCH_SIZE = env.positive("SCORING_BATCH_SIZE", default=256)

# -- Celery --------------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = env.address("CELERY_BROKER_URL", "redis", "rediss", default=_redis_database(REDIS_URL, 1))
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # A frozen Redis would otherwise hang a publish for 45 s and more.
    "socket_timeout": 2,
    "socket_connect_timeout": 1,
    "socket_keepalive": True,
    "visibility_timeout": 60,
    "unacked_restore_throttle": 1,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
# Both, or a task is lost when its pool process is killed.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 10
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_DEFAULT_QUEUE = "scoring"
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")
# Days for which replayed and discarded dead letters are kept; open ones stay.
DEAD_LETTER_KEEP_DAYS = env.positive("DEAD_LETTER_KEEP_DAYS", default=90)
CELERY_BEAT_SCHEDULE = {
    "prune dead letters": {"task": "streaming.tasks.prune_dead_letters", "schedule": 6 * 3600},
    # Each run of these is cut short: they come often.
    "clear expired sessions": {"task": "streaming.tasks.clear_expired_sessions", "schedule": 600},
    "forget old idempotency keys": {"task": "streaming.tasks.forget_old_idempotency_keys", "schedule": 60},
}

# -- accounts and sessions -----------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"
# Read from the cache, written through to the database: a flushed Redis logs nobody out.
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_CALLABLE = "predictions.views.accounts.locked_out"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
EMAIL_CONFIG = env.email("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="House value <noreply@localhost>")

# -- security ------------------------------------------------------------------------------------------------------
HTTPS = env.bool("HTTPS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
# Probes ask the process itself, without a proxy that speaks https.
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz)$"]
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000 if HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
if env.bool("BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
# They look for Django's own middleware by name; housevalue.middleware has subclasses of it.
SILENCED_SYSTEM_CHECKS = ["security.W001", "security.W002", "security.W003"]
CSRF_FAILURE_VIEW = "predictions.views.errors.csrf_failure"
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    }
}
CORS_ALLOWED_ORIGINS = env.texts("CORS_ALLOWED_ORIGINS", default=[])
CORS_URLS_REGEX = r"^/(api/|predict_api$)"
CORS_ALLOW_HEADERS = [*default_headers, "idempotency-key"]
CORS_EXPOSE_HEADERS = ["Location", "Retry-After"]

# -- asking --------------------------------------------------------------------------------------------------------
# Requests per visitor (no account) and per user; "0/m" switches a limit off.
VISITOR_RATE = env.rate("VISITOR_RATE", default="60/m")
USER_RATE = env.rate("USER_RATE", default="0/m")
# Sign-ups and password mails per address, and tries to delete an account per user.
ACCOUNT_RATE = env.rate("ACCOUNT_RATE", default="30/h")
# After so long without an answer the one who asked is told that there is none yet.
ANSWER_DEADLINE_SECONDS = env.positive("ANSWER_DEADLINE_SECONDS", default=30)
# When an answer would take longer than this the door closes, until a third of it is left.
MOST_SECONDS_TO_ANSWER = env.positive("MOST_SECONDS_TO_ANSWER", default=10)

# -- REST ----------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "predictions.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "predictions.api.pagination.PredictionPagination",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.URLPathVersioning",
    "DEFAULT_VERSION": "v1",
    "ALLOWED_VERSIONS": ["v1"],
    "EXCEPTION_HANDLER": "predictions.api.problems.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "House value",
    "DESCRIPTION": "What houses in a California block group of 1990 are worth, answered as it is scored.",
    "VERSION": "1",
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "predictions.api.schema.add_doors"],
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# -- files, language, time -----------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(VAR_DIR / "static"))).resolve()
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
# Source maps are the largest files by far and no page loads them: compressing them took most of the first start.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

# -- logs ----------------------------------------------------------------------------------------------------------
_LEVELS = ("INFO", "DEBUG", "WARNING", "ERROR", "CRITICAL")
LOG_LEVEL = env.one_of("LOG_LEVEL", *_LEVELS)
# Of single loggers. `life` says, at INFO, each step that predictions take.
LOG_LEVELS = env.levels("LOG_LEVELS", *_LEVELS)
LOG_FORMAT = env.one_of("LOG_FORMAT", "text", "json")
_shared_processors: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso"),
    structlog.processors.StackInfoRenderer(),
]
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *_shared_processors,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "structured": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer()
                if LOG_FORMAT == "json"
                else structlog.dev.ConsoleRenderer(colors=False),
            ],
            "foreign_pre_chain": _shared_processors,
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "structured"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        # A line per HTTP request on the hot path costs more than it tells; the proxy has an access log.
        "django.channels.server": {"level": "WARNING"},
        "daphne.http_protocol": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "axes": {"level": "WARNING"},
        **{name: {"level": level} for name, level in LOG_LEVELS.items()},
    },
}

# -- metrics -------------------------------------------------------------------------------------------------------
# Where each process answers Prometheus; 0 is nowhere. Not for the world: it is a port of its own.
METRICS_PORT = env.port("METRICS_PORT", default=0)
METRICS_HOST = env.str("METRICS_HOST", default="127.0.0.1")
if METRICS_PORT:
    MIDDLEWARE.append("housevalue.middleware.MetricsMiddleware")

if DEBUG:
    STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
