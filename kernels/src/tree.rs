//! A tree of drafted tokens, into which all drafts write. The root is the last token that is certain.

/// One drafted token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// The token.
    pub token: u32,
    /// Index of the node before it; the root is its own.
    pub parent: usize,
    /// Tokens from the root.
    pub depth: usize,
    /// Which draft proposed it first.
    pub source: usize,
}

/// Nodes in an order in which parents come before their children.
#[derive(Debug, Clone)]
pub struct Tree {
    nodes: Vec<Node>,
    limit: usize,
}

impl Tree {
    /// A tree with nothing but its root, for at most `limit` drafted nodes.
    #[must_use]
    pub fn new(root: u32, limit: usize) -> Self {
        Self { nodes: vec![Node { token: root, parent: 0, depth: 0, source: usize::MAX }], limit }
    }

    /// All nodes, the root first.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// How many nodes may still be added.
    #[must_use]
    pub fn room(&self) -> usize {
        (self.limit + 1).saturating_sub(self.nodes.len())
    }

    /// The child of `parent` with this token.
    #[must_use]
    pub fn child(&self, parent: usize, token: u32) -> Option<usize> {
        // Children come after their parents.
        let later = self.nodes.iter().enumerate().skip(parent + 1);
        later.filter(|(_, it)| it.parent == parent && it.token == token).map(|(idx, _)| idx).next()
    }

    /// Adds a child, or finds it; `None` when the tree is full.
    pub fn add(&mut self, parent: usize, token: u32, source: usize) -> Option<usize> {
        if let Some(idx) = self.child(parent, token) {
            return Some(idx);
        }
        if self.room() == 0 {
            return None;
        }
        let depth = self.nodes[parent].depth + 1;
        self.nodes.push(Node { token, parent, depth, source });
        Some(self.nodes.len() - 1)
    }

    /// The nodes from below the root to `idx`.
    #[must_use]
    pub fn path(&self, idx: usize) -> Vec<usize> {
        let mut path = Vec::with_capacity(self.nodes[idx].depth);
        let mut at = idx;
        while at != 0 {
            path.push(at);
            at = self.nodes[at].parent;
        }
        path.reverse();
        path
    }

    /// The tokens from below the root to `idx`.
    #[must_use]
    pub fn tokens(&self, idx: usize) -> Vec<u32> {
        self.path(idx).into_iter().map(|it| self.nodes[it].token).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drafts_share_their_nodes() {
        let mut tree = Tree::new(9, 3);
        let one = tree.add(0, 1, 0).unwrap();
        let two = tree.add(one, 2, 0).unwrap();
        assert_eq!(tree.add(0, 1, 1), Some(one));
        assert_eq!(tree.add(one, 3, 1), Some(3));
        assert_eq!(tree.add(0, 4, 1), None);
        assert_eq!(tree.tokens(two), [1, 2]);
        assert_eq!((tree.nodes()[one].source, tree.nodes()[3].source, tree.room()), (0, 1, 0));
    }
}
