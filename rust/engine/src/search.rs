//! Searching by meaning: scope, mask, exact ranking, hydration.

use recollect_model::{Call, Content, Error, Hit, Query, Result, Scope, SearchAnswer, Subject, limits, with_ancestors};
use recollect_storage::Connection;
use recollect_storage::rows::{chunks, items, projects, spaces, tags};
use recollect_vector::{normalise, top_owners};

use crate::add::check_embedded;
use crate::masks::Conditions;
use crate::read::check_limit;
use crate::store::Store;
use crate::{space, validate};

impl Store {
    /// The items whose best chunk is nearest to the query, of those in scope that are live and valid now.
    ///
    /// Every commit that was acknowledged before the call, by any process, is seen.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a blank query, a vector of another dimension, or a k out of range; `Unsupported` for a text
    /// query where the store has no embedder; `Conflict` for an embedder of another space than the store's.
    pub fn search(&self, query: &Query, call: &Call) -> Result<SearchAnswer> {
        check_limit("k", query.k, limits::K)?;
        for tag in &query.tags {
            validate::line("tag", tag, limits::TAG)?;
        }
        let scope = query.scope.clone().unwrap_or_else(|| Scope::Project(self.default_project.clone()));
        let vector = self.query_vector(&query.subject, call)?;
        let mut unit = vec![0.0; vector.len()];
        normalise(&vector, &mut unit)?;
        let (snapshot, state) = self.index.at(&self.database, call)?;
        let shown_scope = shown(&scope);
        let space = match spaces::active(&snapshot)? {
            Some((_, space)) => space,
            // The store holds no vector yet.
            None => self.wanted_space().cloned().ok_or_else(|| {
                Error::unsupported("the store has no vectors, and was opened without an embedder")
                    .with_hint("open it with an embedder or with ExternalVectors, and add items")
            })?,
        };
        if let Some(wanted) = self.wanted_space() {
            // The space may have come into being after this handle was opened.
            space::check_same(&space, wanted)?;
        }
        if space.dimension != unit.len() {
            return Err(Error::invalid(format!(
                "the query vector has {} components, the store's vectors have {}",
                unit.len(),
                space.dimension
            )));
        }
        let conditions = conditions(&snapshot, &scope, query)?;
        let mut answer =
            SearchAnswer { hits: Vec::new(), scope: shown_scope, matched: 0, seq: state.seq(), space: space.name };
        let Some(conditions) = conditions else { return Ok(answer) };
        let mask = state.mask(&conditions, self.now());
        answer.matched = mask.owners.len() as u64;
        let Some(table) = state.table() else { return Ok(answer) };
        for found in top_owners(table, &unit, query.k, &mask.owners, call)? {
            answer.hits.push(hydrate(&snapshot, found)?);
        }
        Ok(answer)
    }

    fn query_vector(&self, subject: &Subject, call: &Call) -> Result<Vec<f32>> {
        match subject {
            Subject::Vector(vector) => Ok(vector.clone()),
            Subject::Text(text) => {
                validate::text_with_content("query", text, limits::QUERY)?;
                let Some(embedder) = &self.embedder else {
                    return Err(Error::unsupported("the store was opened without an embedder for its space, so a text cannot be searched by meaning")
                        .with_hint("open it with the embedder it was filled with, or search with vector="));
                };
                let vector = embedder.embed_queries(&[text], call)?;
                check_embedded(&vector, 1, embedder.space())?;
                if vector.iter().all(|component| *component == 0.0) {
                    return Err(Error::invalid("the query means nothing to the embedding model"));
                }
                Ok(vector)
            }
        }
    }
}

/// What the mask asks; `None` if nothing can match.
fn conditions(connection: &Connection, scope: &Scope, query: &Query) -> Result<Option<Conditions>> {
    let mut conditions = Conditions { kinds: query.kinds.clone(), ..Conditions::default() };
    for tag in &query.tags {
        match tags::find(connection, tag)? {
            None => return Ok(None),
            Some(id) => conditions.tags.push(id),
        }
    }
    let (mut ids, path) = match scope {
        Scope::Everywhere => return Ok(Some(conditions)),
        Scope::Project(path) => (Vec::new(), path),
        Scope::Subtree(path) => (projects::subtree(connection, path)?, path),
    };
    for ancestor in with_ancestors(path) {
        ids.extend(projects::find(connection, ancestor)?);
    }
    ids.sort_unstable();
    ids.dedup();
    conditions.projects = Some(ids);
    Ok(Some(conditions))
}

/// The resolved scope as answers show it.
fn shown(scope: &Scope) -> Option<Vec<String>> {
    let paths = |path: &str| with_ancestors(path).into_iter().map(str::to_owned).collect::<Vec<_>>();
    match scope {
        Scope::Everywhere => None,
        Scope::Project(path) => Some(paths(path)),
        Scope::Subtree(path) => {
            let mut all = vec![format!("{path}/*")];
            all.extend(paths(path));
            Some(all)
        }
    }
}

fn hydrate(connection: &Connection, found: recollect_vector::Hit) -> Result<Hit> {
    let stored = items::by_row(connection, found.owner)?
        .ok_or_else(|| Error::internal(format!("the index holds item {} that the store has not", found.owner)))?;
    let chunk = chunks::show(connection, found.id)?;
    let item = stored.item;
    let kind = item.kind();
    let (title, path) = match item.content {
        Content::Rule(_) => (None, None),
        Content::Doc(doc) => (doc.title, doc.path),
        Content::Ref(reference) => (Some(reference.target), None),
    };
    Ok(Hit {
        id: item.id,
        kind,
        version: item.version,
        key: item.fields.key,
        project: item.fields.project,
        score: found.score,
        chunk: found.id,
        snippet: chunk.text,
        heading: chunk.heading,
        start: chunk.start,
        end: chunk.end,
        title,
        path,
        tags: item.fields.tags,
        source: item.fields.source,
        trust: item.fields.trust,
        priority: item.fields.priority,
        updated_at: item.updated_at,
    })
}
