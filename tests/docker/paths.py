from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"
COMPOSE = DOCKER / "compose.yaml"
TLS = DOCKER / "compose.tls.yaml"
BROKER = DOCKER / "compose.broker.yaml"
