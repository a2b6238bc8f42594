/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/match-tree.h"

#include <string.h>

typedef struct {
    PathArc arc;
    int32_t parent;
} TreeNode;

void match_tree_init(MatchTree *tree)
{
    tree->nodes = g_array_new(FALSE, FALSE, sizeof(TreeNode));
    tree->path = g_array_new(FALSE, FALSE, sizeof(PathArc));
    (void)match_tree_add(tree, (PathArc){.arc = MATCH_OFF}, -1);
}

void match_tree_clear(MatchTree *tree)
{
    g_clear_pointer(&tree->nodes, g_array_unref);
    g_clear_pointer(&tree->path, g_array_unref);
}

int32_t match_tree_add(MatchTree *tree, PathArc arc, int32_t parent)
{
    TreeNode node = {arc, parent};
    g_array_append_val(tree->nodes, node);
    return (int32_t)tree->nodes->len - 1;
}

guint match_tree_size(const MatchTree *tree)
{
    return tree->nodes->len;
}

static TreeNode *node_at(MatchTree *tree, int32_t node)
{
    return &g_array_index(tree->nodes, TreeNode, node);
}

/* Hands over the path from the root (not included) to a node. */
static void hand_over(MatchTree *tree, int32_t node)
{
    guint first = tree->path->len;
    for (int32_t at = node; at > 0; at = node_at(tree, at)->parent)
        g_array_append_val(tree->path, node_at(tree, at)->arc);
    for (guint i = first, j = tree->path->len; i + 1 < j; i++, j--) {
        PathArc swap = g_array_index(tree->path, PathArc, i);
        g_array_index(tree->path, PathArc, i) = g_array_index(tree->path, PathArc, j - 1);
        g_array_index(tree->path, PathArc, j - 1) = swap;
    }
}

/* The youngest node that all paths share. Parents are older than their children. */
static int32_t shared_node(MatchTree *tree, const int32_t *nodes, guint n)
{
    g_autofree int32_t *tips = g_memdup2(nodes, n * sizeof *nodes);
    for (;;) {
        guint youngest = 0;
        gboolean same = TRUE;
        for (guint k = 1; k < n; k++) {
            same = same && tips[k] == tips[0];
            if (tips[k] > tips[youngest])
                youngest = k;
        }
        if (same)
            return tips[0];
        tips[youngest] = node_at(tree, tips[youngest])->parent;
    }
}

void match_tree_prune(MatchTree *tree, int32_t *nodes, guint n)
{
    int32_t root = shared_node(tree, nodes, n);
    hand_over(tree, root);
    g_autofree int32_t *number = g_new(int32_t, tree->nodes->len);
    memset(number, -1, tree->nodes->len * sizeof *number);
    for (guint k = 0; k < n; k++)
        for (int32_t at = nodes[k]; at > root; at = node_at(tree, at)->parent)
            number[at] = 0;
    int32_t kept = 0;
    number[root] = kept++;
    *node_at(tree, 0) = *node_at(tree, root);
    for (int32_t at = root + 1; at < (int32_t)tree->nodes->len; at++) {
        if (number[at] < 0)
            continue;
        number[at] = kept;
        TreeNode node = *node_at(tree, at);
        node.parent = number[node.parent];
        *node_at(tree, kept++) = node;
    }
    g_array_set_size(tree->nodes, (guint)kept);
    for (guint k = 0; k < n; k++)
        nodes[k] = number[nodes[k]];
}

uint32_t match_tree_first_open(const MatchTree *tree, uint32_t end)
{
    for (guint at = 1; at < tree->nodes->len; at++) {
        const TreeNode *node = &g_array_index(tree->nodes, TreeNode, at);
        if (node->parent == 0)
            end = MIN(end, node->arc.first);
    }
    return end;
}
