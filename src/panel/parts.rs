//! The parts of the page: header, stations, orders, events. Each is HTML on its own, so that the live stream can
//! send exactly what the page was made from.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::PanelState;
use super::html::Html;
use crate::services::board::{self, Board};
use crate::services::compose::Waiting;
use crate::services::events::{self, PublicEvent};
use crate::services::query::{self, StationView};
use crate::services::{Error, Shop};
use crate::shop::notice::Notice;
use crate::shop::order::Order;
use crate::shop::piece::Piece;
use crate::units::Timestamp;

/// Events at the foot of the page.
const EVENTS: u32 = 12;
/// Piece numbers in a tile; a plate may carry many.
const PIECES_IN_TILE: usize = 6;
/// Piece lines of one order.
const PIECES_IN_ORDER: usize = 8;

/// Each part by the id of the element that holds it.
pub(super) type Parts = BTreeMap<&'static str, String>;

/// Reads the workshop and writes all parts.
pub(super) async fn read(state: &PanelState) -> Result<Parts, Error> {
    let shop = &state.shop;
    let stations = query::stations(shop).await?;
    let board = board::read(shop).await?;
    let latest = events::latest(shop, EVENTS).await?;
    let references = piece_references(shop, &stations).await?;
    let zone = &shop.workshop.zone;
    Ok(Parts::from([
        ("clock", clock(shop)),
        ("stations", write_stations(&stations, &references, zone)),
        ("orders", write_orders(&board, &shop.plan.waiting(), zone)),
        ("events", write_events(&latest, zone)),
    ]))
}

/// The whole page.
pub(super) fn page(state: &PanelState, parts: &Parts) -> String {
    let part = |name: &str| parts.get(name).map_or("", String::as_str);
    let name = &state.shop.workshop.name;
    let mut html = Html::default();
    html.tag("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">")
        .tag("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>")
        .text(name)
        .tag("</title><link rel=\"stylesheet\" href=\"/assets/page.css\"><link rel=\"icon\" href=\"/assets/icon.svg\">")
        .tag("<script src=\"/assets/page.js\" defer></script></head><body><header><h1>")
        .text(name)
        .tag("</h1>");
    if state.shop.clock.is_simulated() {
        html.tag("<span class=\"badge\">SIMULATED &times;")
            .text(&state.shop.clock.speed().to_string())
            .tag("</span>");
    }
    html.tag("<span class=\"stale\" id=\"stale\" role=\"status\" hidden>stale: no contact</span>")
        .tag("<span class=\"clock\" id=\"clock\">")
        .part(part("clock"))
        .tag("</span></header><main><section><h2>Stations</h2><div id=\"stations\">")
        .part(part("stations"))
        .tag("</div></section><section><h2>Orders</h2><div class=\"scroll\" id=\"orders\">")
        .part(part("orders"))
        .tag("</div></section><section><h2>Last events</h2><ul id=\"events\">")
        .part(part("events"))
        .tag("</ul></section></main></body></html>");
    html.done()
}

/// What somebody without a key sees.
pub(super) fn refusal() -> String {
    let mut html = Html::default();
    html.tag("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>sprue</title>")
        .tag("<link rel=\"stylesheet\" href=\"/assets/page.css\"></head><body><div class=\"note\">")
        .tag("<h1>This board needs a key</h1><p>On the machine that runs sprue:</p>")
        .tag("<p><code>sprue key create --role display --name board</code></p>")
        .tag("<p>Then open <code>/?key=</code> followed by the key, once in this browser. ")
        .tag("If you just did that, <a href=\"/\">open the board</a>.</p></div></body></html>");
    html.done()
}

fn clock(shop: &Shop) -> String {
    let mut html = Html::default();
    let now = shop.clock.at().in_zone(&shop.workshop.zone);
    html.text(&now.strftime("%a %d %b %H:%M").to_string());
    html.done()
}

/// The order systems' numbers of the pieces that stand on stations.
async fn piece_references(shop: &Shop, stations: &[StationView]) -> Result<BTreeMap<String, String>, Error> {
    let mut references = BTreeMap::new();
    for operation in stations.iter().flat_map(|view| &view.operations) {
        for id in operation.pieces.iter().take(PIECES_IN_TILE) {
            let (piece, _) = query::piece(shop, id.clone()).await?;
            references.insert(id.to_string(), piece.external_ref);
        }
    }
    Ok(references)
}

fn write_stations(
    stations: &[StationView],
    references: &BTreeMap<String, String>,
    zone: &TimeZone,
) -> String {
    let mut html = Html::default();
    for view in stations {
        write_station(&mut html, view, references, zone);
    }
    html.done()
}

fn write_station(
    html: &mut Html,
    view: &StationView,
    references: &BTreeMap<String, String>,
    zone: &TimeZone,
) {
    let look = Look::of(view.state_word());
    html.tag("<article class=\"tile ").tag(look.class).tag("\"><h3><span>").text(&view.station.name);
    html.tag("</span><span class=\"state\">").tag(look.shape).tag(" ").tag(look.words).tag("</span></h3>");
    for operation in &view.operations {
        html.tag("<p class=\"job\">").text(&operation.title).tag("</p><p>");
        let known = operation.pieces.iter().filter_map(|id| references.get(id.as_str()));
        let numbers: Vec<&str> = known.take(PIECES_IN_TILE).map(String::as_str).collect();
        html.text(&numbers.join(", "));
        if operation.pieces.len() > numbers.len() {
            html.text(&format!(" and {} more", operation.pieces.len() - numbers.len()));
        }
        html.tag("</p>");
    }
    if let Some(permille) = view.progress_permille() {
        html.tag("<progress max=\"1000\" value=\"").text(&permille.to_string()).tag("\"></progress>");
        html.tag("<p class=\"soft\">").text(&format!("{} % done", permille / 10)).tag("</p>");
    }
    if let Some(reason) = view.reason() {
        html.tag("<p>").text(&reason).tag("</p>");
    }
    if let (true, Some(next)) = (view.operations.is_empty(), &view.next) {
        html.tag("<p class=\"soft\">next ").text(&short(next.start, zone)).tag("</p>");
    }
    html.tag("</article>");
}

/// How a state looks: never by colour alone.
struct Look {
    class: &'static str,
    shape: &'static str,
    words: &'static str,
}

impl Look {
    fn of(state: &str) -> Self {
        let (class, shape, words) = match state {
            "ready" => ("ready", "\u{25cf}", "ready"),
            "busy" => ("busy", "\u{25b6}", "busy"),
            "held" => ("wait", "\u{25ae}\u{25ae}", "held"),
            "paused" => ("wait", "\u{25ae}\u{25ae}", "paused"),
            "needs_clearing" => ("wait", "\u{25b2}", "clear the plate"),
            "connecting" => ("idle", "\u{25cb}", "connecting"),
            "offline" => ("bad", "\u{2715}", "offline"),
            "faulted" => ("bad", "\u{2715}", "out of use"),
            _ => ("bad", "?", "look at it"),
        };
        Self { class, shape, words }
    }
}

fn write_orders(board: &Board, waiting: &Waiting, zone: &TimeZone) -> String {
    let mut html = Html::default();
    html.tag("<table><thead><tr><th>Order</th><th>State</th><th>Due</th><th>Promised</th><th>Pieces</th>");
    html.tag("</tr></thead><tbody>");
    for (order, pieces) in &board.orders {
        write_order(&mut html, order, pieces, waiting, zone);
    }
    if board.orders.is_empty() {
        html.tag("<tr><td colspan=\"5\" class=\"soft\">no orders yet</td></tr>");
    }
    if board.more > 0 {
        html.tag("<tr><td colspan=\"5\" class=\"soft\">").text(&format!("and {} more", board.more));
        html.tag("</td></tr>");
    }
    html.tag("</tbody></table>");
    html.done()
}

fn write_order(html: &mut Html, order: &Order, pieces: &[Piece], waiting: &Waiting, zone: &TimeZone) {
    let state = order.state_word();
    html.tag(if state == "accepted" || state == "held" { "<tr>" } else { "<tr class=\"ended\">" });
    html.tag("<td class=\"ref\">").text(&order.external_ref).tag("</td><td>").text(state);
    if let Some(hold) = &order.hold {
        html.tag("<br><span class=\"soft\">").text(hold).tag("</span>");
    }
    html.tag("</td><td class=\"when\">").text(&short(order.due, zone)).tag("</td><td class=\"when\">");
    html.text(&order.promised.map_or_else(|| "not planned".to_owned(), |at| short(at, zone)));
    if order.late {
        html.tag(" <span class=\"late\">\u{25b2} late</span>");
    }
    html.tag("</td><td><ul class=\"pieces\">");
    for piece in pieces.iter().take(PIECES_IN_ORDER) {
        write_piece(html, piece, waiting.get(&piece.id));
    }
    if pieces.len() > PIECES_IN_ORDER {
        html.tag("<li class=\"soft\">").text(&format!("and {} more", pieces.len() - PIECES_IN_ORDER));
        html.tag("</li>");
    }
    html.tag("</ul></td></tr>");
}

fn write_piece(html: &mut Html, piece: &Piece, waiting_for: Option<&String>) {
    html.tag("<li>").text(&piece.external_ref).tag(" <span class=\"soft\">");
    let state = piece.state_word();
    html.text(&state.replace('_', " "));
    if let (Some(stage), "in_production") = (&piece.stage, state) {
        html.tag(": ").text(stage);
    }
    if piece.attempt > 1 {
        html.text(&format!(", making {}", piece.attempt));
    }
    if let Some(reason) = piece.hold.as_ref().or(waiting_for) {
        html.tag(", ").text(reason);
    }
    html.tag("</span></li>");
}

fn write_events(latest: &[PublicEvent], zone: &TimeZone) -> String {
    let mut html = Html::default();
    for event in latest.iter().rev() {
        let Ok(notice) = serde_json::from_str::<Notice>(&event.body) else { continue };
        let about = notice.data.piece_external_ref.as_deref().unwrap_or(&notice.data.external_ref);
        html.tag("<li><time>").text(&short(notice.timestamp, zone)).tag("</time>").text(about).tag(" ");
        html.text(&notice.event_type.replace(['.', '_'], " "));
        if let Some(stage) = &notice.data.stage {
            html.tag(": ").text(stage);
        }
        if let Some(reason) = &notice.data.reason {
            html.tag(" <span class=\"soft\">").text(reason).tag("</span>");
        }
        html.tag("</li>");
    }
    html.done()
}

fn short(at: Timestamp, zone: &TimeZone) -> String {
    at.in_zone(zone).strftime("%d %b %H:%M").to_string()
}
