"""What can be told to a server: a method for each kind of event, of the core and of every pack."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

#: When something happened: a naive `datetime` is local time, a number is seconds or milliseconds since 1970.
Moment = datetime | date | str | float

Properties = Mapping[str, Any]


class Recorder(ABC):
    """Records events. No method waits, and none raises for what it is given.

    Every event has an identity and a time from here on, so that one which is sent again counts once. `timestamp` and
    `event_id` say them otherwise; `None` is not sent.
    """

    @abstractmethod
    def capture(self, lane: str, payload: Mapping[str, Any]) -> None:
        """Records a payload as the endpoint of a lane takes it: `events`, `web`, `sdk`, `ab`, `voice` or `quiz`."""

    def track(
        self, event: str, *, actor: str | None = None, value: float | None = None,
        properties: Properties | None = None, session: str | None = None, url: str | None = None,
        referrer: str | None = None, channel: str | None = None, user_agent: str | None = None, ip: str | None = None,
        timestamp: Moment | None = None, event_id: str | None = None,
    ) -> None:  # fmt: skip
        """Records an event of any project: `POST /v1/events`."""
        self.capture("events", {
            "event": event, "timestamp": timestamp, "eventId": event_id, "actor": actor, "sessionId": session,
            "value": value, "url": url, "referrer": referrer, "channel": channel, "properties": properties,
            "userAgent": user_agent, "ip": ip,
        })  # fmt: skip

    def page_view(
        self, url: str, *, visitor: str | None = None, session: str | None = None, referrer: str | None = None,
        user_agent: str | None = None, ip: str | None = None, properties: Properties | None = None,
        timestamp: Moment | None = None, event_id: str | None = None,
    ) -> None:  # fmt: skip
        """Records that a page was seen, for a server that sends for a browser: `POST /web/v1/events`."""
        self.web_event(
            "page_view", url=url, visitor=visitor, session=session, referrer=referrer, user_agent=user_agent, ip=ip,
            properties=properties, timestamp=timestamp, event_id=event_id,
        )  # fmt: skip

    def web_event(
        self, event: str, *, url: str | None = None, visitor: str | None = None, session: str | None = None,
        referrer: str | None = None, value: float | None = None, is_conversion: bool | None = None,
        user_agent: str | None = None, ip: str | None = None, properties: Properties | None = None,
        timestamp: Moment | None = None, event_id: str | None = None,
    ) -> None:  # fmt: skip
        """Records an event of a site: `POST /web/v1/events`."""
        self.capture("web", {
            "eventType": event, "occurredAt": timestamp, "eventId": event_id, "visitorId": visitor,
            "sessionId": session, "url": url, "referrer": referrer, "value": value, "isConversion": is_conversion,
            "properties": properties, "userAgent": user_agent, "ip": ip,
        })  # fmt: skip

    def count(
        self, counters: Mapping[str, float], *, network: str, app: str | None = None, sdk_version: str = "unknown",
        timestamp: Moment | None = None, event_id: str | None = None,
    ) -> None:  # fmt: skip
        """Records increments of up to 64 counters: `POST /sdk/api/v1/events`. `app` is a hash that you make."""
        self.capture("sdk", {
            "sdkVersion": sdk_version, "network": network, "timestamp": timestamp, "metrics": counters,
            "appIdHash": app, "idempotencyKey": event_id,
        })  # fmt: skip

    def exposure(
        self, unit: str, experiment: str, variant: str, *, properties: Properties | None = None,
        timestamp: Moment | None = None, event_id: str | None = None,
    ) -> None:  # fmt: skip
        """Records that a unit has met a variant of an experiment: `POST /ab/v1/events`."""
        self.capture("ab", {
            "eventName": "exposure", "occurredAt": timestamp, "eventId": event_id, "unitId": unit,
            "experimentId": experiment, "variant": variant, "properties": properties,
        })  # fmt: skip

    def app_event(
        self, event: str, *, unit: str | None = None, value: float | None = None, session: str | None = None,
        properties: Properties | None = None, timestamp: Moment | None = None, event_id: str | None = None,
    ) -> None:  # fmt: skip
        """Records an event of an app that runs experiments: `POST /ab/v1/events`."""
        self.capture("ab", {
            "eventName": event, "occurredAt": timestamp, "eventId": event_id, "unitId": unit, "sessionId": session,
            "value": value, "properties": properties,
        })  # fmt: skip

    def voice_query(
        self, query_id: str, *, store: str | None = None, transcript: str | None = None, intent: str | None = None,
        confidence: float | None = None, language: str | None = None, word_error_rate: float | None = None,
        recognition_ms: float | None = None, understanding_ms: float | None = None, user: str | None = None,
        session: str | None = None, properties: Properties | None = None, timestamp: Moment | None = None,
        event_id: str | None = None,
    ) -> None:  # fmt: skip
        """Records what was said to an assistant: `POST /voice/ingest`. Its outcome names the same `query_id`."""
        self.capture("voice", {
            "eventType": "voice_query", "timestamp": timestamp, "eventId": event_id, "queryId": query_id,
            "storeId": store, "transcript": transcript, "intent": intent, "confidence": confidence,
            "language": language, "wordErrorRate": word_error_rate, "recognitionMs": recognition_ms,
            "understandingMs": understanding_ms, "userId": user, "sessionId": session, "properties": properties,
        })  # fmt: skip

    def voice_outcome(
        self, query_id: str, *, store: str | None = None, success: bool | None = None, response: str | None = None,
        fallback: bool | None = None, error: str | None = None, model: str | None = None,
        response_ms: float | None = None, total_ms: float | None = None, prompt_tokens: int | None = None,
        completion_tokens: int | None = None, cost_usd: float | None = None, user: str | None = None,
        session: str | None = None, properties: Properties | None = None, timestamp: Moment | None = None,
        event_id: str | None = None,
    ) -> None:  # fmt: skip
        """Records what an assistant made of a query: `POST /voice/ingest`."""
        self.capture("voice", {
            "eventType": "voice_outcome", "timestamp": timestamp, "eventId": event_id, "queryId": query_id,
            "storeId": store, "success": success, "response": response, "fallback": fallback, "error": error,
            "model": model, "responseMs": response_ms, "totalMs": total_ms, "promptTokens": prompt_tokens,
            "completionTokens": completion_tokens, "costUsd": cost_usd, "userId": user, "sessionId": session,
            "properties": properties,
        })  # fmt: skip

    def quiz_started(
        self, quiz: str, *, attempt: str | None = None, user: str | None = None, session: str | None = None,
        properties: Properties | None = None, timestamp: Moment | None = None, event_id: str | None = None,
    ) -> None:  # fmt: skip
        """Records that someone began a quiz: `POST /quiz/events`. All of one attempt names the same `attempt`."""
        self.capture("quiz", {
            "event": "quiz_started", "timestamp": timestamp, "eventId": event_id, "quizId": quiz,
            "attemptId": attempt, "userId": user, "sessionId": session, "properties": properties,
        })  # fmt: skip

    def question_answered(
        self, quiz: str, question: str, *, attempt: str | None = None, answer: str | None = None,
        correct: bool | None = None, skipped: bool | None = None, options: int | None = None,
        score: float | None = None, max_score: float | None = None, time_ms: float | None = None,
        user: str | None = None, session: str | None = None, properties: Properties | None = None,
        timestamp: Moment | None = None, event_id: str | None = None,
    ) -> None:  # fmt: skip
        """Records an answer to a question of a quiz: `POST /quiz/events`."""
        self.capture("quiz", {
            "event": "question_answered", "timestamp": timestamp, "eventId": event_id, "quizId": quiz,
            "attemptId": attempt, "questionId": question, "answer": answer, "correct": correct, "skipped": skipped,
            "options": options, "score": score, "maxScore": max_score, "timeMs": time_ms, "userId": user,
            "sessionId": session, "properties": properties,
        })  # fmt: skip

    def quiz_submitted(
        self, quiz: str, *, attempt: str | None = None, score: float | None = None, max_score: float | None = None,
        time_ms: float | None = None, user: str | None = None, session: str | None = None,
        properties: Properties | None = None, timestamp: Moment | None = None, event_id: str | None = None,
    ) -> None:  # fmt: skip
        """Records that a quiz was submitted: `POST /quiz/events`. Without `max_score`, `score` is in percent."""
        self.capture("quiz", {
            "event": "quiz_submitted", "timestamp": timestamp, "eventId": event_id, "quizId": quiz,
            "attemptId": attempt, "score": score, "maxScore": max_score, "timeMs": time_ms, "userId": user,
            "sessionId": session, "properties": properties,
        })  # fmt: skip

    def quiz_abandoned(
        self, quiz: str, *, attempt: str | None = None, user: str | None = None, session: str | None = None,
        properties: Properties | None = None, timestamp: Moment | None = None, event_id: str | None = None,
    ) -> None:  # fmt: skip
        """Records that an attempt was given up: `POST /quiz/events`."""
        self.capture("quiz", {
            "event": "quiz_abandoned", "timestamp": timestamp, "eventId": event_id, "quizId": quiz,
            "attemptId": attempt, "userId": user, "sessionId": session, "properties": properties,
        })  # fmt: skip
